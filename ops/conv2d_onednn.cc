#include <optional>

#include "ops/conv2d_internal.h"
#include "ops/inner_kernel_internal.h"
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
  const void* data;
  onednn::Layout layout;

  Image(const Tensor& image, Workspace& work)
      : data(image.raw_data()), layout(layout_of(image).value_or(onednn::Layout::kChannelsLast)) {
    if (!layout_of(image)) data = laid_out(image, channels_last_strides(image.shape()), work);
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

onednn::ConvProblem forward_problem(const Conv2d& op, Inputs inputs, std::span<const Tensor> outputs,
                                    onednn::Layout layout) {
  const ConvSizes sizes(op.options(), inputs[0].shape(), inputs[1].shape(), outputs[0].shape());
  onednn::ConvProblem problem = problem_of(sizes, onednn::ConvDirection::kForward);
  problem.input_layout = layout;
  problem.narrow = inputs[0].dtype() == Dtype::bf16;
  problem.bias = inputs[2].defined();
  return problem;
}

onednn::ConvProblem forward_problem(const FusedConv2d& op, Inputs inputs, std::span<const Tensor> outputs,
                                    onednn::Layout layout) {
  onednn::ConvProblem problem = forward_problem(Conv2d(op.options().conv), inputs, outputs, layout);
  problem.relu = op.options().relu;
  problem.accumulate = inputs[3].defined();
  problem.inference = true;
  return problem;
}

/// A convolution with the memory that it needs.
struct ReadyConvolution {
  std::shared_ptr<const onednn::Convolution> convolution;
  void* scratch;

  ReadyConvolution(const onednn::ConvProblem& problem, Workspace& work)
      : convolution(onednn::Convolution::get(problem)),
        scratch(work.take<char>(static_cast<int64_t>(convolution->scratch_bytes()))) {}
  const onednn::Convolution* operator->() const { return convolution.get(); }
};

class ForwardWork {
 public:
  template <class Op>
  ForwardWork(const Op& op, Inputs inputs, std::span<const Tensor> outputs, Workspace& work)
      : x_(inputs[0], work),
        weight_(row_major(inputs[1], work)),
        bias_(inputs[2].defined() ? row_major(inputs[2], work) : nullptr),
        y_(outputs[0].raw_data()),
        ready_(forward_problem(op, inputs, outputs, x_.layout), work) {}

  void run() const { ready_->forward(x_.data, weight_, bias_, y_, ready_.scratch); }

 private:
  Image x_;
  const void *weight_, *bias_;
  void* y_;
  ReadyConvolution ready_;
};

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
template <class Op>
std::unique_ptr<const PreparedKernel> prepare_forward(const Op& op, Inputs inputs,
                                                      std::span<const Tensor> outputs, uint32_t constants) {
  const Tensor &weight = inputs[1], &bias = inputs[2];
  const auto layout = layout_of(inputs[0]);
  if (!layout || !weight.is_contiguous() || (bias.defined() && !bias.is_contiguous())) return nullptr;
  return std::make_unique<PreparedConvolution>(forward_problem(op, inputs, outputs, *layout),
                                               constants & 0b10u ? weight : Tensor());
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

class DataGradientWork {
 public:
  DataGradientWork(const Conv2dBackwardData& op, Inputs inputs, std::span<const Tensor> outputs,
                   Workspace& work)
      : gradient_(inputs[0], work),
        weight_(row_major(inputs[1], work)),
        dx_(outputs[0].raw_data()),
        ready_(data_problem(op, inputs, outputs, gradient_.layout), work) {}

  void run() const { ready_->backward_data(gradient_.data, weight_, dx_, ready_.scratch); }

 private:
  Image gradient_;
  const void* weight_;
  void* dx_;
  ReadyConvolution ready_;
};

void* bias_gradient(std::span<const Tensor> outputs) {
  return outputs.size() > 1 ? outputs[1].raw_data() : nullptr;
}

class WeightsGradientWork {
 public:
  WeightsGradientWork(const Conv2dBackwardWeights& op, Inputs inputs, std::span<const Tensor> outputs,
                      Workspace& work)
      : x_(inputs[0], work),
        gradient_(inputs[1], work),
        dw_(outputs[0].raw_data()),
        db_(bias_gradient(outputs)),
        ready_(weights_problem(op, inputs, outputs, x_.layout, gradient_.layout), work) {}

  void run() const { ready_->backward_weights(x_.data, gradient_.data, dw_, db_, ready_.scratch); }

 private:
  Image x_, gradient_;
  void *dw_, *db_;
  ReadyConvolution ready_;
};

void run_data(const onednn::Convolution& convolution, Inputs inputs, Outputs outputs, void* scratch) {
  convolution.backward_data(inputs[0].raw_data(), inputs[1].raw_data(), outputs[0].raw_data(), scratch);
}

void run_weights(const onednn::Convolution& convolution, Inputs inputs, Outputs outputs, void* scratch) {
  convolution.backward_weights(inputs[0].raw_data(), inputs[1].raw_data(), outputs[0].raw_data(),
                               bias_gradient(outputs), scratch);
}

/// A gradient of a convolution with its code chosen.
class PreparedGradient final : public PreparedKernel {
 public:
  using Run = void (*)(const onednn::Convolution&, Inputs, Outputs, void* scratch);

  PreparedGradient(const onednn::ConvProblem& problem, Run method)
      : convolution_(onednn::Convolution::get(problem)), method_(method) {}

  size_t scratch_bytes() const override { return convolution_->scratch_bytes(); }

  void run(Inputs inputs, Outputs outputs, void* scratch) const override {
    method_(*convolution_, inputs, outputs, scratch);
  }

 private:
  std::shared_ptr<const onednn::Convolution> convolution_;
  Run method_;
};

Activation activation_of(const FusedConv2d& op) {
  return op.options().relu ? Activation::relu : Activation::none;
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

size_t conv2d_onednn_scratch(const Conv2d& op, Inputs inputs, std::span<const Tensor> outputs) {
  return scratch_of<ForwardWork>(op, inputs, outputs);
}
void conv2d_onednn(const Conv2d& op, Inputs inputs, Outputs outputs, void* scratch) {
  run_with<ForwardWork>(scratch, op, inputs, std::span<const Tensor>(outputs));
}
std::unique_ptr<const PreparedKernel> prepare_conv2d_onednn(const Conv2d& op, Inputs inputs,
                                                            std::span<const Tensor> outputs,
                                                            uint32_t constants) {
  return prepare_forward(op, inputs, outputs, constants);
}

const char* fused_conv2d_onednn_declines(const FusedConv2d& op, Inputs inputs,
                                         std::span<const Tensor> outputs) {
  const ConvSizes sizes(op.options().conv, inputs[0].shape(), inputs[1].shape(), outputs[0].shape());
  if (const char* overlap = fused_conv2d_overlaps(inputs)) return overlap;
  return declines(sizes, inputs[0].dtype());
}

size_t fused_conv2d_onednn_scratch(const FusedConv2d& op, Inputs inputs, std::span<const Tensor> outputs) {
  return scratch_of<ForwardWork>(op, inputs, outputs);
}
void fused_conv2d_onednn(const FusedConv2d& op, Inputs inputs, Outputs outputs, void* scratch) {
  run_with<ForwardWork>(scratch, op, inputs, std::span<const Tensor>(outputs));
}
std::unique_ptr<const PreparedKernel> prepare_fused_conv2d_onednn(const FusedConv2d& op, Inputs inputs,
                                                                  std::span<const Tensor> outputs,
                                                                  uint32_t constants) {
  return prepare_forward(op, inputs, outputs, constants);
}

size_t fused_conv2d_apart_scratch(const FusedConv2d& op, Inputs inputs, std::span<const Tensor> outputs) {
  return product_apart_scratch(Conv2d(op.options().conv), activation_of(op), inputs, outputs);
}
void fused_conv2d_apart(const FusedConv2d& op, Inputs inputs, Outputs outputs, void* scratch) {
  product_apart(Conv2d(op.options().conv), activation_of(op), inputs, outputs, scratch);
}

size_t conv2d_backward_data_onednn_scratch(const Conv2dBackwardData& op, Inputs inputs,
                                           std::span<const Tensor> outputs) {
  return scratch_of<DataGradientWork>(op, inputs, outputs);
}
void conv2d_backward_data_onednn(const Conv2dBackwardData& op, Inputs inputs, Outputs outputs,
                                 void* scratch) {
  run_with<DataGradientWork>(scratch, op, inputs, std::span<const Tensor>(outputs));
}

std::unique_ptr<const PreparedKernel> prepare_conv2d_backward_data_onednn(const Conv2dBackwardData& op,
                                                                          Inputs inputs,
                                                                          std::span<const Tensor> outputs,
                                                                          uint32_t) {
  const auto gradient = layout_of(inputs[0]);
  if (!gradient || !inputs[1].is_contiguous()) return nullptr;
  return std::make_unique<PreparedGradient>(data_problem(op, inputs, outputs, *gradient), run_data);
}

size_t conv2d_backward_weights_onednn_scratch(const Conv2dBackwardWeights& op, Inputs inputs,
                                              std::span<const Tensor> outputs) {
  return scratch_of<WeightsGradientWork>(op, inputs, outputs);
}
void conv2d_backward_weights_onednn(const Conv2dBackwardWeights& op, Inputs inputs, Outputs outputs,
                                    void* scratch) {
  run_with<WeightsGradientWork>(scratch, op, inputs, std::span<const Tensor>(outputs));
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
