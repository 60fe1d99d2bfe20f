#include <optional>

#include "ops/conv2d_internal.h"
#include "ops/copy.h"
#include "ops/layout_internal.h"
#include "ops/onednn_internal.h"

namespace espalier {
namespace {

/// The order of an image's elements, if it is one of the two that the library knows.
std::optional<onednn::Layout> layout_of(const Tensor& image) {
  if (is_channels_last(image)) return onednn::Layout::kChannelsLast;
  if (image.is_contiguous()) return onednn::Layout::kChannelsFirst;
  return {};
}

/// An image as the library takes it: where it is, if in one of those orders, else copied to channels-last.
struct Image {
  Tensor tensor;
  onednn::Layout layout;

  explicit Image(const Tensor& image)
      : tensor(image), layout(layout_of(image).value_or(onednn::Layout::kChannelsLast)) {
    if (!layout_of(image)) tensor = laid_out(image, channels_last_strides(image.shape()));
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

/// The forward direction of either operation.
onednn::ConvProblem forward_problem(const Conv2dOptions& options, Inputs inputs,
                                    std::span<const Tensor> outputs, onednn::Layout layout) {
  const ConvSizes sizes(options, inputs[0].shape(), inputs[1].shape(), outputs[0].shape());
  onednn::ConvProblem problem = problem_of(sizes, onednn::ConvDirection::kForward);
  problem.input_layout = layout;
  problem.narrow = inputs[0].dtype() == Dtype::bf16;
  problem.bias = inputs[2].defined();
  return problem;
}

onednn::ConvProblem fused_problem(const FusedConv2d& op, Inputs inputs, std::span<const Tensor> outputs,
                                  onednn::Layout layout) {
  onednn::ConvProblem problem = forward_problem(op.options().conv, inputs, outputs, layout);
  problem.relu = op.options().relu;
  problem.accumulate = inputs[3].defined();
  problem.inference = true;
  return problem;
}

void run_forward(const onednn::ConvProblem& problem, const Image& x, Inputs inputs, Outputs outputs) {
  const Tensor weight = laid_out(inputs[1], contiguous_strides(inputs[1].shape()));
  const Tensor bias = inputs[2].defined() ? laid_out(inputs[2], {1}) : Tensor();
  onednn::Convolution::get(problem)->forward(x.tensor.raw_data(), weight.raw_data(),
                                             bias.defined() ? bias.raw_data() : nullptr,
                                             outputs[0].raw_data());
}

/// A forward convolution with its code chosen, and its weights packed where they are constant.
class PreparedConvolution final : public PreparedKernel {
 public:
  PreparedConvolution(const onednn::ConvProblem& problem, const Tensor& constant_weight)
      : convolution_(onednn::Convolution::get(problem)) {
    if (!constant_weight.defined()) return;
    packed_ = empty({static_cast<int64_t>(convolution_->packed_bytes())}, Dtype::u8);
    convolution_->pack(constant_weight.raw_data(), packed_.raw_data());
  }

  size_t scratch_bytes() const override { return convolution_->scratch_bytes(); }

  void run(Inputs inputs, Outputs outputs, void* scratch) const override {
    const void* const bias = inputs[2].defined() ? inputs[2].raw_data() : nullptr;
    if (packed_.defined()) {
      convolution_->forward_packed(inputs[0].raw_data(), packed_.raw_data(), bias, outputs[0].raw_data(),
                                   scratch);
    } else {
      convolution_->forward(inputs[0].raw_data(), inputs[1].raw_data(), bias, outputs[0].raw_data(), scratch);
    }
  }

 private:
  std::shared_ptr<const onednn::Convolution> convolution_;
  Tensor packed_;
};

/// Null where an operand would have to be copied first.
template <class Problem>
std::unique_ptr<const PreparedKernel> prepare_forward(const Problem& problem_in, Inputs inputs,
                                                      uint32_t constants) {
  const Tensor &weight = inputs[1], &bias = inputs[2];
  const auto layout = layout_of(inputs[0]);
  if (!layout || !weight.is_contiguous() || (bias.defined() && !bias.is_contiguous())) return nullptr;
  return std::make_unique<PreparedConvolution>(problem_in(*layout), constants & 0b10u ? weight : Tensor());
}

onednn::ConvProblem data_problem(const Conv2dBackwardData& op, Inputs inputs, std::span<const Tensor> outputs,
                                 onednn::Layout gradient) {
  onednn::ConvProblem problem =
      problem_of(sizes_of(op, inputs, outputs), onednn::ConvDirection::kBackwardData);
  problem.output_layout = gradient;
  problem.narrow = inputs[0].dtype() == Dtype::bf16;
  return problem;
}

onednn::ConvProblem weights_problem(const Conv2dBackwardWeights& op, Inputs inputs,
                                    std::span<const Tensor> outputs, onednn::Layout x,
                                    onednn::Layout gradient) {
  onednn::ConvProblem problem =
      problem_of(sizes_of(op, inputs, outputs), onednn::ConvDirection::kBackwardWeights);
  problem.input_layout = x;
  problem.output_layout = gradient;
  problem.narrow = inputs[0].dtype() == Dtype::bf16;
  problem.bias = outputs.size() > 1;
  return problem;
}

void run_data(const onednn::Convolution& convolution, const Tensor& gradient, const Tensor& weight,
              Outputs outputs, void* scratch) {
  convolution.backward_data(gradient.raw_data(), weight.raw_data(), outputs[0].raw_data(), scratch);
}

void run_weights(const onednn::Convolution& convolution, const Tensor& x, const Tensor& gradient,
                 Outputs outputs, void* scratch) {
  convolution.backward_weights(x.raw_data(), gradient.raw_data(), outputs[0].raw_data(),
                               outputs.size() > 1 ? outputs[1].raw_data() : nullptr, scratch);
}

/// A gradient of a convolution with its code chosen.
class PreparedGradient final : public PreparedKernel {
 public:
  using Run = void (*)(const onednn::Convolution&, const Tensor&, const Tensor&, Outputs, void* scratch);

  PreparedGradient(const onednn::ConvProblem& problem, Run method)
      : convolution_(onednn::Convolution::get(problem)), method_(method) {}

  size_t scratch_bytes() const override { return convolution_->scratch_bytes(); }

  void run(Inputs inputs, Outputs outputs, void* scratch) const override {
    method_(*convolution_, inputs[0], inputs[1], outputs, scratch);
  }

 private:
  std::shared_ptr<const onednn::Convolution> convolution_;
  Run method_;
};

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
  run_forward(forward_problem(op.options(), inputs, outputs, x.layout), x, inputs, outputs);
}

std::unique_ptr<const PreparedKernel> prepare_conv2d_onednn(const Conv2d& op, Inputs inputs,
                                                            std::span<const Tensor> outputs,
                                                            uint32_t constants) {
  return prepare_forward(
      [&](onednn::Layout layout) { return forward_problem(op.options(), inputs, outputs, layout); }, inputs,
      constants);
}

const char* fused_conv2d_onednn_declines(const FusedConv2d& op, Inputs inputs,
                                         std::span<const Tensor> outputs) {
  const ConvSizes sizes(op.options().conv, inputs[0].shape(), inputs[1].shape(), outputs[0].shape());
  if (const char* overlap = fused_conv2d_overlaps(inputs)) return overlap;
  return declines(sizes, inputs[0].dtype());
}

void fused_conv2d_onednn(const FusedConv2d& op, Inputs inputs, Outputs outputs) {
  const Image x(inputs[0]);
  run_forward(fused_problem(op, inputs, outputs, x.layout), x, inputs, outputs);
}

std::unique_ptr<const PreparedKernel> prepare_fused_conv2d_onednn(const FusedConv2d& op, Inputs inputs,
                                                                  std::span<const Tensor> outputs,
                                                                  uint32_t constants) {
  return prepare_forward([&](onednn::Layout layout) { return fused_problem(op, inputs, outputs, layout); },
                         inputs, constants);
}

void fused_conv2d_apart(const FusedConv2d& op, Inputs inputs, Outputs outputs) {
  copy_(outputs[0], op.decompose(inputs)[0]);
}

void conv2d_backward_data_onednn(const Conv2dBackwardData& op, Inputs inputs, Outputs outputs) {
  const Image gradient(inputs[0]);
  const Tensor weight = laid_out(inputs[1], contiguous_strides(inputs[1].shape()));
  const auto convolution = onednn::Convolution::get(data_problem(op, inputs, outputs, gradient.layout));
  run_data(*convolution, gradient.tensor, weight, outputs, nullptr);
}

std::unique_ptr<const PreparedKernel> prepare_conv2d_backward_data_onednn(const Conv2dBackwardData& op,
                                                                          Inputs inputs,
                                                                          std::span<const Tensor> outputs,
                                                                          uint32_t) {
  const auto gradient = layout_of(inputs[0]);
  if (!gradient || !inputs[1].is_contiguous()) return nullptr;
  return std::make_unique<PreparedGradient>(data_problem(op, inputs, outputs, *gradient), run_data);
}

void conv2d_backward_weights_onednn(const Conv2dBackwardWeights& op, Inputs inputs, Outputs outputs) {
  const Image x(inputs[0]), gradient(inputs[1]);
  const auto convolution =
      onednn::Convolution::get(weights_problem(op, inputs, outputs, x.layout, gradient.layout));
  run_weights(*convolution, x.tensor, gradient.tensor, outputs, nullptr);
}

std::unique_ptr<const PreparedKernel> prepare_conv2d_backward_weights_onednn(const Conv2dBackwardWeights& op,
                                                                             Inputs inputs,
                                                                             std::span<const Tensor> outputs,
                                                                             uint32_t) {
  const auto x = layout_of(inputs[0]), gradient = layout_of(inputs[1]);
  if (!x || !gradient) return nullptr;
  return std::make_unique<PreparedGradient>(weights_problem(op, inputs, outputs, *x, *gradient), run_weights);
}

}  // namespace espalier
