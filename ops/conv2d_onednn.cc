#include "ops/conv2d_internal.h"
#include "ops/layout_internal.h"
#include "ops/onednn_internal.h"

namespace espalier {
namespace {

/// An image as the library takes it: where it is, if in one of the two orders that it knows, else copied to
/// channels-last.
struct Image {
  Tensor tensor;
  onednn::Layout layout;

  explicit Image(const Tensor& image) : tensor(image), layout(onednn::Layout::kChannelsLast) {
    if (is_channels_last(image)) return;
    if (image.is_contiguous())
      layout = onednn::Layout::kChannelsFirst;
    else
      tensor = laid_out(image, channels_last_strides(image.shape()));
  }
};

const char* declines(const ConvSizes& sizes, Dtype dtype) {
  if (dtype == Dtype::bf16 && !onednn::has_bf16()) return "the CPU has no instructions for bf16";
  if (dtype != Dtype::f32 && dtype != Dtype::bf16) return "neither f32 nor bf16";
  if (count(sizes.x) == 0 || count(sizes.weight) == 0 || count(sizes.y) == 0) return "nothing to compute";
  return nullptr;
}

onednn::ConvProblem problem_of(const ConvSizes& s, onednn::ConvDirection direction) {
  onednn::ConvProblem p;
  p.direction = direction;
  p.batch = s.x[0];
  p.in_channels = s.x[1];
  p.out_channels = s.y[1];
  p.groups = s.groups;
  const std::array<WindowAxis, 2> axes = {s.rows, s.columns};
  for (size_t i = 0; i < 2; ++i) {
    p.input[i] = axes[i].size;
    p.kernel[i] = axes[i].taps;
    p.stride[i] = axes[i].stride;
    p.dilation[i] = axes[i].dilation;
    p.pad_before[i] = axes[i].padding;
    // What a stride leaves over at the end is not padded.
    const int64_t windows = i == 0 ? s.y[2] : s.y[3];
    p.pad_after[i] = axes[i].start(windows - 1) + axes[i].dilation * (axes[i].taps - 1) + 1 - axes[i].size;
  }
  return p;
}

ConvSizes sizes_of(const Conv2d& op, Inputs inputs, std::span<const Tensor> outputs) {
  return {op.options(), inputs[0].shape(), inputs[1].shape(), outputs[0].shape()};
}
ConvSizes sizes_of(const Conv2dBackwardData& op, Inputs inputs, std::span<const Tensor> outputs) {
  return {op.options(), outputs[0].shape(), inputs[1].shape(), inputs[0].shape()};
}
ConvSizes sizes_of(const Conv2dBackwardWeights& op, Inputs inputs, std::span<const Tensor> outputs) {
  return {op.options(), inputs[0].shape(), outputs[0].shape(), inputs[1].shape()};
}

}  // namespace

const char* conv2d_onednn_declines(const Conv2d& op, Inputs inputs, std::span<const Tensor> outputs) {
  return declines(sizes_of(op, inputs, outputs), inputs[0].dtype());
}
const char* conv2d_backward_data_onednn_declines(const Conv2dBackwardData& op, Inputs inputs,
                                                 std::span<const Tensor> outputs) {
  return declines(sizes_of(op, inputs, outputs), inputs[0].dtype());
}
const char* conv2d_backward_weights_onednn_declines(const Conv2dBackwardWeights& op, Inputs inputs,
                                                    std::span<const Tensor> outputs) {
  return declines(sizes_of(op, inputs, outputs), inputs[0].dtype());
}

void conv2d_onednn(const Conv2d& op, Inputs inputs, Outputs outputs) {
  const Image x(inputs[0]);
  const Tensor weight = laid_out(inputs[1], contiguous_strides(inputs[1].shape()));
  const Tensor bias = inputs[2].defined() ? laid_out(inputs[2], {1}) : Tensor();
  onednn::ConvProblem problem = problem_of(sizes_of(op, inputs, outputs), onednn::ConvDirection::kForward);
  problem.input_layout = x.layout;
  problem.narrow = x.tensor.dtype() == Dtype::bf16;
  problem.bias = bias.defined();
  onednn::Convolution::get(problem)->forward(x.tensor.raw_data(), weight.raw_data(),
                                             bias.defined() ? bias.raw_data() : nullptr,
                                             outputs[0].raw_data());
}

void conv2d_backward_data_onednn(const Conv2dBackwardData& op, Inputs inputs, Outputs outputs) {
  const Image gradient(inputs[0]);
  const Tensor weight = laid_out(inputs[1], contiguous_strides(inputs[1].shape()));
  onednn::ConvProblem problem =
      problem_of(sizes_of(op, inputs, outputs), onednn::ConvDirection::kBackwardData);
  problem.output_layout = gradient.layout;
  problem.narrow = gradient.tensor.dtype() == Dtype::bf16;
  onednn::Convolution::get(problem)->backward_data(gradient.tensor.raw_data(), weight.raw_data(),
                                                   outputs[0].raw_data());
}

void conv2d_backward_weights_onednn(const Conv2dBackwardWeights& op, Inputs inputs, Outputs outputs) {
  const Image x(inputs[0]), gradient(inputs[1]);
  onednn::ConvProblem problem =
      problem_of(sizes_of(op, inputs, outputs), onednn::ConvDirection::kBackwardWeights);
  problem.input_layout = x.layout;
  problem.narrow = x.tensor.dtype() == Dtype::bf16;
  problem.output_layout = gradient.layout;
  problem.bias = outputs.size() > 1;
  onednn::Convolution::get(problem)->backward_weights(x.tensor.raw_data(), gradient.tensor.raw_data(),
                                                      outputs[0].raw_data(),
                                                      problem.bias ? outputs[1].raw_data() : nullptr);
}

}  // namespace espalier
