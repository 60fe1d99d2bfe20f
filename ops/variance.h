#pragma once

#include "core/door.h"
#include "ops/reduction.h"

namespace espalier {

/// What Variance and StandardDeviation have in common. The outputs are the spread and the mean of the slices
/// of n elements along the axes; the sum of squared deviations is divided by n - correction (by 0 where that
/// is negative, as in PyTorch). Floating types. Computed in f64 in two passes, of which the second takes
/// deviations from the mean, so a large mean costs no digits, and elements that are all equal have the
/// variance 0.
class ESPALIER_API Spread : public Reduction {
 public:
  Spread(const Dims& axes, double correction, bool keepdim)
      : Reduction(axes, keepdim), correction_(correction) {}
  double correction() const noexcept { return correction_; }
  /// max(n - correction, 0) for an input of `shape`.
  double degrees_of_freedom(const Shape& shape) const;

  /// Throws ValueError for a correction that is not finite.
  void infer(Inputs inputs, OutputSpecs& outputs) const override;
  SavedForBackward saved_for_backward() const override { return {.inputs = 1, .outputs = 0b11}; }
  Cost cost(Inputs inputs, std::span<const OutputSpec> outputs) const override;
  std::vector<AxisTie> axis_ties(Inputs inputs) const override;
  void visit_attributes(AttributeVisitor& visit) override {
    Reduction::visit_attributes(visit);
    visit("correction", correction_);
  }

 protected:
  /// The input's gradient from that of the variance, which may be absent, and that of the mean.
  Tensor gradient_of(const BackwardContext& context, const Tensor& of_variance) const;

 private:
  int64_t elements(const Shape& shape) const;

  double correction_;
};

/// The variance over axes, and the mean.
class ESPALIER_API Variance final : public OperationOf<Variance, Spread> {
 public:
  static constexpr std::string_view kName = "variance";
  static KernelSlot slot;

  using OperationOf::OperationOf;
  Tensors backward(const BackwardContext& context) const override;
};

/// The square root of the variance over axes, and the mean. Where the deviation is 0 its gradient is, too
/// (the derivative has no limit there; PyTorch's choice).
class ESPALIER_API StandardDeviation final : public OperationOf<StandardDeviation, Spread> {
 public:
  static constexpr std::string_view kName = "standard_deviation";
  static KernelSlot slot;

  using OperationOf::OperationOf;
  Tensors backward(const BackwardContext& context) const override;
};

/// The variance over `axes` (negative ones count from the end; none: all): the sum of the squared deviations
/// from the mean, divided by n - correction for n elements. The correction 1 makes it unbiased. NaN where n
/// is 0, or n and the correction are 1. Throws ShapeError for an axis that is out of range or named twice,
/// TypeError for an input that is not floating, ValueError for a correction that is not finite.
ESPALIER_API Tensor variance(const Tensor& input, const Dims& axes = {}, double correction = 1,
                             bool keepdim = false);
/// Its square root.
ESPALIER_API Tensor standard_deviation(const Tensor& input, const Dims& axes = {}, double correction = 1,
                                       bool keepdim = false);

struct SpreadAndMean {
  Tensor spread;  ///< the variance or the standard deviation
  Tensor mean;
};
/// The variance and the mean at once.
ESPALIER_API SpreadAndMean variance_and_mean(const Tensor& input, const Dims& axes = {},
                                             double correction = 1, bool keepdim = false);
/// The standard deviation and the mean at once.
ESPALIER_API SpreadAndMean standard_deviation_and_mean(const Tensor& input, const Dims& axes = {},
                                                       double correction = 1, bool keepdim = false);

}  // namespace espalier
