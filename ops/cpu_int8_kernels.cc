// The list of the CPU's kernels for 8-bit integers, as cpu_kernels.cc is that of the others.

#include "ops/int8_conv2d.h"
#include "ops/int8_global_avg_pool2d.h"
#include "ops/int8_linear.h"
#include "ops/int8_max_pool2d.h"
#include "ops/int8_tiles_internal.h"
#include "ops/kernel_lists_internal.h"
#include "ops/quantize.h"

/// As ESPALIER_DECLARE_KERNEL, of kernels for each Int8Unit.
#define ESPALIER_DECLARE_INT8_TILED(Op, stem)            \
  template <Int8Unit unit>                               \
  const char* stem##_declines(const Op&, Inputs, Specs); \
  template <Int8Unit unit>                               \
  size_t stem##_scratch(const Op&, Inputs, Specs);       \
  template <Int8Unit unit>                               \
  void stem(const Op&, Inputs, Outputs, void* scratch);  \
  template <Int8Unit unit>                               \
  Prepared prepare_##stem(const Op&, Inputs, Specs, uint32_t constants)

namespace espalier {

ESPALIER_VECTORISED_KERNEL(Dequantize, dequantize)

ESPALIER_DECLARE_INT8_TILED(Int8Conv2d, int8_conv2d_tiled);
const char* int8_conv2d_amx_yields(const Int8Conv2d&, Inputs, Specs);
size_t int8_conv2d_plain_scratch(const Int8Conv2d&, Inputs, Specs);
void int8_conv2d_plain(const Int8Conv2d&, Inputs, Outputs, void*);
template <Int8Unit unit>
static constexpr Kernel int8_conv2d_on(const char* name) {
  return kernel<Int8Conv2d, int8_conv2d_tiled<unit>, int8_conv2d_tiled_declines<unit>,
                prepare_int8_conv2d_tiled<unit>, int8_conv2d_tiled_scratch<unit>>(name);
}
static constexpr Kernel kInt8Conv2d[] = {
    yielding<Int8Conv2d, int8_conv2d_amx_yields>(int8_conv2d_on<Int8Unit::amx>("amx")),
    int8_conv2d_on<Int8Unit::vectors>("tiled"),
    reference(kernel<Int8Conv2d, int8_conv2d_plain, nullptr, nullptr, int8_conv2d_plain_scratch>("plain"))};
constinit KernelSlot Int8Conv2d::slot{kInt8Conv2d};

ESPALIER_KERNEL_WITH_SCRATCH(Int8GlobalAvgPool2d, int8_global_avg_pool2d, "highway")

ESPALIER_DECLARE_INT8_TILED(Int8Linear, int8_linear_tiled);
const char* int8_linear_amx_yields(const Int8Linear&, Inputs, Specs);
size_t int8_linear_plain_scratch(const Int8Linear&, Inputs, Specs);
void int8_linear_plain(const Int8Linear&, Inputs, Outputs, void*);
template <Int8Unit unit>
static constexpr Kernel int8_linear_on(const char* name) {
  return kernel<Int8Linear, int8_linear_tiled<unit>, int8_linear_tiled_declines<unit>,
                prepare_int8_linear_tiled<unit>, int8_linear_tiled_scratch<unit>>(name);
}
static constexpr Kernel kInt8Linear[] = {
    yielding<Int8Linear, int8_linear_amx_yields>(int8_linear_on<Int8Unit::amx>("amx")),
    int8_linear_on<Int8Unit::vectors>("tiled"),
    reference(kernel<Int8Linear, int8_linear_plain, nullptr, nullptr, int8_linear_plain_scratch>("plain"))};
constinit KernelSlot Int8Linear::slot{kInt8Linear};

ESPALIER_PLAIN_KERNEL(Int8MaxPool2d, int8_max_pool2d)
ESPALIER_VECTORISED_KERNEL(Quantize, quantize)

}  // namespace espalier
