// The list of the CPU's kernels of convolutions, as cpu_kernels.cc is that of the others.

#include "ops/conv2d.h"
#include "ops/fused_conv2d.h"
#include "ops/kernel_lists_internal.h"

namespace espalier {

using Specs = std::span<const Tensor>;
using Prepared = std::unique_ptr<const PreparedKernel>;

/// A kernel that declines some problems and can be made ready for the others.
#define ESPALIER_DECLARE_KERNEL(Op, stem)                \
  const char* stem##_declines(const Op&, Inputs, Specs); \
  void stem(const Op&, Inputs, Outputs);                 \
  Prepared prepare_##stem(const Op&, Inputs, Specs, uint32_t constants)
#define ESPALIER_PREPARED_KERNEL(Op, stem, name) kernel<Op, stem, stem##_declines, prepare_##stem>(name)

/// One that says what memory it needs, besides.
#define ESPALIER_DECLARE_SCRATCH_KERNEL(Op, stem)        \
  const char* stem##_declines(const Op&, Inputs, Specs); \
  size_t stem##_scratch(const Op&, Inputs, Specs);       \
  void stem(const Op&, Inputs, Outputs, void* scratch)

ESPALIER_DECLARE_SCRATCH_KERNEL(Conv2d, conv2d_winograd);
Prepared prepare_conv2d_winograd(const Conv2d&, Inputs, Specs, uint32_t constants);
ESPALIER_DECLARE_KERNEL(Conv2d, conv2d_onednn);
const char* conv2d_direct_declines(const Conv2d&, Inputs, Specs);
void conv2d_direct(const Conv2d&, Inputs, Outputs);
void conv2d_converted(const Conv2d&, Inputs, Outputs);
static constexpr Kernel kConv2d[] = {kernel<Conv2d, conv2d_winograd, conv2d_winograd_declines,
                                            prepare_conv2d_winograd, conv2d_winograd_scratch>("winograd"),
                                     ESPALIER_PREPARED_KERNEL(Conv2d, conv2d_onednn, "onednn"),
                                     kernel<Conv2d, conv2d_direct, conv2d_direct_declines>("direct"),
                                     kernel<Conv2d, conv2d_converted>("through f32")};
constinit KernelSlot Conv2d::slot{kConv2d};

ESPALIER_DECLARE_SCRATCH_KERNEL(FusedConv2d, fused_conv2d_winograd);
Prepared prepare_fused_conv2d_winograd(const FusedConv2d&, Inputs, Specs, uint32_t constants);
ESPALIER_DECLARE_KERNEL(FusedConv2d, fused_conv2d_onednn);
void fused_conv2d_apart(const FusedConv2d&, Inputs, Outputs);
static constexpr Kernel kFusedConv2d[] = {
    kernel<FusedConv2d, fused_conv2d_winograd, fused_conv2d_winograd_declines, prepare_fused_conv2d_winograd,
           fused_conv2d_winograd_scratch>("winograd"),
    ESPALIER_PREPARED_KERNEL(FusedConv2d, fused_conv2d_onednn, "onednn"),
    kernel<FusedConv2d, fused_conv2d_apart>("taken apart")};
constinit KernelSlot FusedConv2d::slot{kFusedConv2d};

ESPALIER_DECLARE_SCRATCH_KERNEL(Conv2dBackwardData, conv2d_backward_data_winograd);
Prepared prepare_conv2d_backward_data_winograd(const Conv2dBackwardData&, Inputs, Specs, uint32_t constants);
ESPALIER_DECLARE_KERNEL(Conv2dBackwardData, conv2d_backward_data_onednn);
const char* conv2d_backward_data_direct_declines(const Conv2dBackwardData&, Inputs, Specs);
void conv2d_backward_data_direct(const Conv2dBackwardData&, Inputs, Outputs);
void conv2d_backward_data_converted(const Conv2dBackwardData&, Inputs, Outputs);
static constexpr Kernel kConv2dBackwardData[] = {
    kernel<Conv2dBackwardData, conv2d_backward_data_winograd, conv2d_backward_data_winograd_declines,
           prepare_conv2d_backward_data_winograd, conv2d_backward_data_winograd_scratch>("winograd"),
    ESPALIER_PREPARED_KERNEL(Conv2dBackwardData, conv2d_backward_data_onednn, "onednn"),
    kernel<Conv2dBackwardData, conv2d_backward_data_direct, conv2d_backward_data_direct_declines>("direct"),
    kernel<Conv2dBackwardData, conv2d_backward_data_converted>("through f32")};
constinit KernelSlot Conv2dBackwardData::slot{kConv2dBackwardData};

ESPALIER_DECLARE_SCRATCH_KERNEL(Conv2dBackwardWeights, conv2d_backward_weights_winograd);
ESPALIER_DECLARE_KERNEL(Conv2dBackwardWeights, conv2d_backward_weights_onednn);
const char* conv2d_backward_weights_direct_declines(const Conv2dBackwardWeights&, Inputs, Specs);
void conv2d_backward_weights_direct(const Conv2dBackwardWeights&, Inputs, Outputs);
void conv2d_backward_weights_converted(const Conv2dBackwardWeights&, Inputs, Outputs);
static constexpr Kernel kConv2dBackwardWeights[] = {
    kernel<Conv2dBackwardWeights, conv2d_backward_weights_winograd, conv2d_backward_weights_winograd_declines,
           nullptr, conv2d_backward_weights_winograd_scratch>("winograd"),
    ESPALIER_PREPARED_KERNEL(Conv2dBackwardWeights, conv2d_backward_weights_onednn, "onednn"),
    kernel<Conv2dBackwardWeights, conv2d_backward_weights_direct, conv2d_backward_weights_direct_declines>(
        "direct"),
    kernel<Conv2dBackwardWeights, conv2d_backward_weights_converted>("through f32")};
constinit KernelSlot Conv2dBackwardWeights::slot{kConv2dBackwardWeights};

}  // namespace espalier
