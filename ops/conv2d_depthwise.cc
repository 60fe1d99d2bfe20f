// The kernels of depthwise convolutions.

#include <memory>

#include "ops/conv2d_internal.h"
#include "ops/depthwise_internal.h"
#include "ops/layout_internal.h"
#include "ops/scratch_internal.h"

namespace espalier {
namespace {

/// A depthwise convolution, in whichever direction.
struct DepthwiseProblem {
  const char* refusal = nullptr;  ///< why it is not computed here; null: it is
  DepthwiseSizes sizes = {};
  bool relu = false;
  const float* filters = nullptr;  ///< packed already; null: the second input is to be
};

DepthwiseProblem depthwise_problem(const ConvSizes& s, Dtype dtype) {
  if (dtype != Dtype::f32 || s.groups == 1 || s.groups != s.x[1] || s.groups != s.y[1])
    return {.refusal = "not one f32 filter for each channel"};
  if (count(s.x) == 0 || count(s.weight) == 0 || count(s.y) == 0) return {.refusal = "nothing to compute"};
  return {.sizes = {.images = s.x[0], .channels = s.x[1], .rows = s.rows, .columns = s.columns}};
}

DepthwiseProblem depthwise_problem(const Conv2d& op, Inputs inputs, std::span<const Tensor> outputs) {
  return depthwise_problem({op.options(), inputs[0].shape(), inputs[1].shape(), outputs[0].shape()},
                           inputs[0].dtype());
}
DepthwiseProblem depthwise_problem(const FusedConv2d& op, Inputs inputs, std::span<const Tensor> outputs) {
  DepthwiseProblem problem = depthwise_problem(
      {op.options().conv, inputs[0].shape(), inputs[1].shape(), outputs[0].shape()}, inputs[0].dtype());
  if (const char* overlap = fused_conv2d_overlaps(inputs)) problem.refusal = overlap;
  problem.relu = op.options().relu;
  return problem;
}
DepthwiseProblem depthwise_problem(const Conv2dBackwardData& op, Inputs inputs,
                                   std::span<const Tensor> outputs) {
  return depthwise_problem({op.options(), outputs[0].shape(), inputs[1].shape(), inputs[0].shape()},
                           inputs[0].dtype());
}
DepthwiseProblem depthwise_problem(const Conv2dBackwardWeights& op, Inputs inputs,
                                   std::span<const Tensor> outputs) {
  return depthwise_problem({op.options(), inputs[0].shape(), outputs[0].shape(), inputs[1].shape()},
                           inputs[0].dtype());
}

float* depthwise_floats(const Tensor& tensor) {
  return tensor.defined() ? static_cast<float*>(tensor.raw_data()) : nullptr;
}

const float* depthwise_image(const Tensor& image, Workspace& work) {
  return static_cast<const float*>(laid_out(image, channels_last_strides(image.shape()), work));
}

/// Images from images.
class DepthwiseWork {
 public:
  DepthwiseWork(const DepthwiseProblem& problem, bool backward, Inputs inputs,
                std::span<const Tensor> outputs, Workspace& work)
      : problem_(problem),
        backward_(backward),
        from_(depthwise_image(inputs[0], work)),
        filters_(problem.filters ? nullptr : row_major_as<float>(inputs[1], work)),
        packed_(problem.filters ? nullptr : work.take<float>(problem.sizes.taps() * problem.sizes.channels)),
        epilogue_{.bias = inputs.size() > 2 ? row_major_as<float>(inputs[2], work) : nullptr,
                  .residual = inputs.size() > 3 ? depthwise_floats(inputs[3]) : nullptr,
                  .relu = problem.relu},
        to_(depthwise_floats(outputs[0])) {}

  void run() const {
    const DepthwiseSizes& sizes = problem_.sizes;
    if (packed_) pack_depthwise_filters(filters_, sizes.channels, sizes.taps(), packed_);
    const float* const packed = packed_ ? packed_ : problem_.filters;
    if (backward_)
      depthwise_backward_data(sizes, from_, packed, to_);
    else
      depthwise_forward(sizes, from_, packed, epilogue_, to_);
  }

 private:
  DepthwiseProblem problem_;
  bool backward_;
  const float *from_, *filters_;
  float* packed_;
  DepthwiseEpilogue epilogue_;
  float* to_;
};

/// With constant filters, which are packed once.
class PreparedDepthwise final : public PreparedKernel {
 public:
  PreparedDepthwise(const DepthwiseProblem& problem, bool backward, Inputs inputs,
                    std::span<const Tensor> outputs)
      : problem_(problem),
        backward_(backward),
        filters_(empty({problem.sizes.taps(), problem.sizes.channels})) {
    pack_depthwise_filters(depthwise_floats(row_major(inputs[1])), problem.sizes.channels,
                           problem.sizes.taps(), depthwise_floats(filters_));
    problem_.filters = depthwise_floats(filters_);
    scratch_bytes_ = scratch_of<DepthwiseWork>(problem_, backward_, inputs, outputs);
  }

  size_t scratch_bytes() const override { return scratch_bytes_; }

  void run(Inputs inputs, Outputs outputs, void* scratch) const override {
    run_with<DepthwiseWork>(scratch, problem_, backward_, inputs, std::span<const Tensor>(outputs));
  }

 private:
  DepthwiseProblem problem_;
  bool backward_;
  Tensor filters_;
  size_t scratch_bytes_;
};

class DepthwiseGradientWork {
 public:
  DepthwiseGradientWork(const DepthwiseProblem& problem, Inputs inputs, std::span<const Tensor> outputs,
                        Workspace& work)
      : sizes_(problem.sizes),
        x_(depthwise_image(inputs[0], work)),
        dy_(depthwise_image(inputs[1], work)),
        dw_(depthwise_floats(outputs[0])),
        db_(outputs.size() > 1 ? depthwise_floats(outputs[1]) : nullptr),
        scratch_(work.take<float>(depthwise_gradient_floats(problem.sizes))) {}

  void run() const { depthwise_backward_filters(sizes_, x_, dy_, dw_, db_, scratch_); }

 private:
  DepthwiseSizes sizes_;
  const float *x_, *dy_;
  float *dw_, *db_, *scratch_;
};

template <class Op>
constexpr bool kIsBackwardData = std::is_same_v<Op, Conv2dBackwardData>;

}  // namespace

template <class Op>
const char* conv2d_depthwise_declines(const Op& op, Inputs inputs, std::span<const Tensor> outputs) {
  return depthwise_problem(op, inputs, outputs).refusal;
}

// Of operations that put out images.

template <class Op>
size_t conv2d_depthwise_scratch(const Op& op, Inputs inputs, std::span<const Tensor> outputs) {
  return scratch_of<DepthwiseWork>(depthwise_problem(op, inputs, outputs), kIsBackwardData<Op>, inputs,
                                   outputs);
}

template <class Op>
void conv2d_depthwise(const Op& op, Inputs inputs, Outputs outputs, void* scratch) {
  run_with<DepthwiseWork>(scratch, depthwise_problem(op, inputs, outputs), kIsBackwardData<Op>, inputs,
                          std::span<const Tensor>(outputs));
}

template <class Op>
std::unique_ptr<const PreparedKernel> prepare_conv2d_depthwise(const Op& op, Inputs inputs,
                                                               std::span<const Tensor> outputs,
                                                               uint32_t constants) {
  if (!(constants & 0b10u)) return nullptr;
  return std::make_unique<PreparedDepthwise>(depthwise_problem(op, inputs, outputs), kIsBackwardData<Op>,
                                             inputs, outputs);
}

template <class Op>
const char* conv2d_depthwise_yields(const Op& op, Inputs inputs, std::span<const Tensor> outputs) {
  const DepthwiseSizes sizes = depthwise_problem(op, inputs, outputs).sizes;
  const bool pays = std::is_same_v<Op, Conv2dBackwardWeights> ? depthwise_backward_filters_pays(sizes)
                    : kIsBackwardData<Op>                     ? depthwise_backward_data_pays(sizes)
                                                              : depthwise_forward_pays(sizes);
  return pays ? nullptr : "the library is as fast or faster";
}

size_t conv2d_depthwise_gradient_scratch(const Conv2dBackwardWeights& op, Inputs inputs,
                                         std::span<const Tensor> outputs) {
  return scratch_of<DepthwiseGradientWork>(depthwise_problem(op, inputs, outputs), inputs, outputs);
}

void conv2d_depthwise_gradient(const Conv2dBackwardWeights& op, Inputs inputs, Outputs outputs,
                               void* scratch) {
  run_with<DepthwiseGradientWork>(scratch, depthwise_problem(op, inputs, outputs), inputs,
                                  std::span<const Tensor>(outputs));
}

template const char* conv2d_depthwise_declines<Conv2dBackwardWeights>(const Conv2dBackwardWeights&, Inputs,
                                                                      std::span<const Tensor>);
template const char* conv2d_depthwise_yields<Conv2dBackwardWeights>(const Conv2dBackwardWeights&, Inputs,
                                                                    std::span<const Tensor>);

#define ESPALIER_DEPTHWISE_CONVOLUTION(Op)                                                        \
  template const char* conv2d_depthwise_declines<Op>(const Op&, Inputs, std::span<const Tensor>); \
  template const char* conv2d_depthwise_yields<Op>(const Op&, Inputs, std::span<const Tensor>);   \
  template size_t conv2d_depthwise_scratch<Op>(const Op&, Inputs, std::span<const Tensor>);       \
  template void conv2d_depthwise<Op>(const Op&, Inputs, Outputs, void*);                          \
  template std::unique_ptr<const PreparedKernel> prepare_conv2d_depthwise<Op>(                    \
      const Op&, Inputs, std::span<const Tensor>, uint32_t);

ESPALIER_DEPTHWISE_CONVOLUTION(Conv2d)
ESPALIER_DEPTHWISE_CONVOLUTION(FusedConv2d)
ESPALIER_DEPTHWISE_CONVOLUTION(Conv2dBackwardData)

}  // namespace espalier
