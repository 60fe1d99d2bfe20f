// The list of the CPU's kernels for 8-bit integers, as cpu_kernels.cc is that of the others.

#include "ops/int8_conv2d.h"
#include "ops/int8_global_avg_pool2d.h"
#include "ops/int8_linear.h"
#include "ops/int8_max_pool2d.h"
#include "ops/kernel_lists_internal.h"
#include "ops/quantize.h"

namespace espalier {

ESPALIER_VECTORISED_KERNEL(Dequantize, dequantize)

ESPALIER_DECLARE_KERNEL(Int8Conv2d, int8_conv2d_tiled);
size_t int8_conv2d_plain_scratch(const Int8Conv2d&, Inputs, Specs);
void int8_conv2d_plain(const Int8Conv2d&, Inputs, Outputs, void*);
static constexpr Kernel kInt8Conv2d[] = {
    ESPALIER_PREPARED_KERNEL(Int8Conv2d, int8_conv2d_tiled, "tiled"),
    reference(kernel<Int8Conv2d, int8_conv2d_plain, nullptr, nullptr, int8_conv2d_plain_scratch>("plain"))};
constinit KernelSlot Int8Conv2d::slot{kInt8Conv2d};

ESPALIER_KERNEL_WITH_SCRATCH(Int8GlobalAvgPool2d, int8_global_avg_pool2d, "plain")

ESPALIER_DECLARE_KERNEL(Int8Linear, int8_linear_tiled);
size_t int8_linear_plain_scratch(const Int8Linear&, Inputs, Specs);
void int8_linear_plain(const Int8Linear&, Inputs, Outputs, void*);
static constexpr Kernel kInt8Linear[] = {
    ESPALIER_PREPARED_KERNEL(Int8Linear, int8_linear_tiled, "tiled"),
    reference(kernel<Int8Linear, int8_linear_plain, nullptr, nullptr, int8_linear_plain_scratch>("plain"))};
constinit KernelSlot Int8Linear::slot{kInt8Linear};

ESPALIER_PLAIN_KERNEL(Int8MaxPool2d, int8_max_pool2d)
ESPALIER_VECTORISED_KERNEL(Quantize, quantize)

}  // namespace espalier
