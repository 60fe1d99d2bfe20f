// The list of the CPU's kernels of convolutions, as cpu_kernels.cc is that of the others.

#include "ops/conv2d.h"
#include "ops/fused_conv2d.h"
#include "ops/kernel_lists_internal.h"
#include "ops/winograd_internal.h"

namespace espalier {

template <class Op>
const char* conv2d_winograd_declines(const Op&, Inputs, Specs);
template <class Op, WinogradTile tile>
const char* conv2d_winograd_yields(const Op&, Inputs, Specs);
template <class Op, WinogradTile tile>
size_t conv2d_winograd_scratch(const Op&, Inputs, Specs);
template <class Op, WinogradTile tile>
void conv2d_winograd(const Op&, Inputs, Outputs, void* scratch);
template <class Op, WinogradTile tile>
Prepared prepare_conv2d_winograd(const Op&, Inputs, Specs, uint32_t constants);

template <class Op>
const char* conv2d_depthwise_declines(const Op&, Inputs, Specs);
template <class Op>
const char* conv2d_depthwise_yields(const Op&, Inputs, Specs);
template <class Op>
size_t conv2d_depthwise_scratch(const Op&, Inputs, Specs);
template <class Op>
void conv2d_depthwise(const Op&, Inputs, Outputs, void* scratch);
template <class Op>
Prepared prepare_conv2d_depthwise(const Op&, Inputs, Specs, uint32_t constants);
template <class Op>
static constexpr Kernel kDepthwise = yielding<Op, conv2d_depthwise_yields<Op>>(
    kernel<Op, conv2d_depthwise<Op>, conv2d_depthwise_declines<Op>, prepare_conv2d_depthwise<Op>,
           conv2d_depthwise_scratch<Op>>("depthwise"));

/// `prepare`: prepare_conv2d_winograd, or null.
template <class Op, WinogradTile tile, auto prepare>
static constexpr Kernel winograd_kernel(const char* name) {
  return yielding<Op, conv2d_winograd_yields<Op, tile>>(
      kernel<Op, conv2d_winograd<Op, tile>, conv2d_winograd_declines<Op>, prepare,
             conv2d_winograd_scratch<Op, tile>>(name));
}
template <class Op>
static constexpr Kernel kWinogradOfFour =
    winograd_kernel<Op, WinogradTile::four, prepare_conv2d_winograd<Op, WinogradTile::four>>("winograd 4x4");
template <class Op>
static constexpr Kernel kWinogradOfTwo =
    winograd_kernel<Op, WinogradTile::two, prepare_conv2d_winograd<Op, WinogradTile::two>>("winograd 2x2");

ESPALIER_DECLARE_KERNEL(Conv2d, conv2d_onednn);
const char* conv2d_direct_declines(const Conv2d&, Inputs, Specs);
size_t conv2d_direct_scratch(const Conv2d&, Inputs, Specs);
void conv2d_direct(const Conv2d&, Inputs, Outputs, void*);
size_t conv2d_converted_scratch(const Conv2d&, Inputs, Specs);
void conv2d_converted(const Conv2d&, Inputs, Outputs, void*);
static constexpr Kernel kConv2d[] = {
    kWinogradOfFour<Conv2d>,
    kWinogradOfTwo<Conv2d>,
    kDepthwise<Conv2d>,
    ESPALIER_PREPARED_KERNEL(Conv2d, conv2d_onednn, "onednn"),
    reference(
        kernel<Conv2d, conv2d_direct, conv2d_direct_declines, nullptr, conv2d_direct_scratch>("direct")),
    reference(kernel<Conv2d, conv2d_converted, nullptr, nullptr, conv2d_converted_scratch>("through f32"))};
constinit KernelSlot Conv2d::slot{kConv2d};

ESPALIER_DECLARE_KERNEL(FusedConv2d, fused_conv2d_onednn);
size_t fused_conv2d_apart_scratch(const FusedConv2d&, Inputs, Specs);
void fused_conv2d_apart(const FusedConv2d&, Inputs, Outputs, void*);
static constexpr Kernel kFusedConv2d[] = {
    kWinogradOfFour<FusedConv2d>, kWinogradOfTwo<FusedConv2d>, kDepthwise<FusedConv2d>,
    ESPALIER_PREPARED_KERNEL(FusedConv2d, fused_conv2d_onednn, "onednn"),
    reference(kernel<FusedConv2d, fused_conv2d_apart, nullptr, nullptr, fused_conv2d_apart_scratch>(
        "taken apart"))};
constinit KernelSlot FusedConv2d::slot{kFusedConv2d};

ESPALIER_DECLARE_KERNEL(Conv2dBackwardData, conv2d_backward_data_onednn);
const char* conv2d_backward_data_direct_declines(const Conv2dBackwardData&, Inputs, Specs);
size_t conv2d_backward_data_direct_scratch(const Conv2dBackwardData&, Inputs, Specs);
void conv2d_backward_data_direct(const Conv2dBackwardData&, Inputs, Outputs, void*);
size_t conv2d_backward_data_converted_scratch(const Conv2dBackwardData&, Inputs, Specs);
void conv2d_backward_data_converted(const Conv2dBackwardData&, Inputs, Outputs, void*);
static constexpr Kernel kConv2dBackwardData[] = {
    kWinogradOfFour<Conv2dBackwardData>,
    kWinogradOfTwo<Conv2dBackwardData>,
    kDepthwise<Conv2dBackwardData>,
    ESPALIER_PREPARED_KERNEL(Conv2dBackwardData, conv2d_backward_data_onednn, "onednn"),
    reference(kernel<Conv2dBackwardData, conv2d_backward_data_direct, conv2d_backward_data_direct_declines,
                     nullptr, conv2d_backward_data_direct_scratch>("direct")),
    reference(kernel<Conv2dBackwardData, conv2d_backward_data_converted, nullptr, nullptr,
                     conv2d_backward_data_converted_scratch>("through f32"))};
constinit KernelSlot Conv2dBackwardData::slot{kConv2dBackwardData};

ESPALIER_DECLARE_KERNEL(Conv2dBackwardWeights, conv2d_backward_weights_onednn);
const char* conv2d_backward_weights_direct_declines(const Conv2dBackwardWeights&, Inputs, Specs);
size_t conv2d_backward_weights_direct_scratch(const Conv2dBackwardWeights&, Inputs, Specs);
void conv2d_backward_weights_direct(const Conv2dBackwardWeights&, Inputs, Outputs, void*);
size_t conv2d_backward_weights_converted_scratch(const Conv2dBackwardWeights&, Inputs, Specs);
void conv2d_backward_weights_converted(const Conv2dBackwardWeights&, Inputs, Outputs, void*);
size_t conv2d_depthwise_gradient_scratch(const Conv2dBackwardWeights&, Inputs, Specs);
void conv2d_depthwise_gradient(const Conv2dBackwardWeights&, Inputs, Outputs, void* scratch);
static constexpr Kernel kConv2dBackwardWeights[] = {
    winograd_kernel<Conv2dBackwardWeights, WinogradTile::four, nullptr>("winograd 4x4"),
    winograd_kernel<Conv2dBackwardWeights, WinogradTile::two, nullptr>("winograd 2x2"),
    yielding<Conv2dBackwardWeights, conv2d_depthwise_yields<Conv2dBackwardWeights>>(
        kernel<Conv2dBackwardWeights, conv2d_depthwise_gradient,
               conv2d_depthwise_declines<Conv2dBackwardWeights>, nullptr, conv2d_depthwise_gradient_scratch>(
            "depthwise")),
    ESPALIER_PREPARED_KERNEL(Conv2dBackwardWeights, conv2d_backward_weights_onednn, "onednn"),
    reference(
        kernel<Conv2dBackwardWeights, conv2d_backward_weights_direct, conv2d_backward_weights_direct_declines,
               nullptr, conv2d_backward_weights_direct_scratch>("direct")),
    reference(kernel<Conv2dBackwardWeights, conv2d_backward_weights_converted, nullptr, nullptr,
                     conv2d_backward_weights_converted_scratch>("through f32"))};
constinit KernelSlot Conv2dBackwardWeights::slot{kConv2dBackwardWeights};

}  // namespace espalier
