#pragma once

#include "core/door.h"
#include "ops/reduction.h"

namespace espalier {

/// The norm of vectors of floating type along axes: (sum of |x|^p)^(1/p) for an order p; for infinity the
/// largest |x|, for -infinity the smallest, for 0 how many elements are not 0. What is smaller than `floor`
/// is put out as `floor`, without a gradient. Powers are taken and added in f64, so that those of f32 and
/// narrower types do not overflow (PyTorch's 2-norm does). The gradient is 0 where the norm or an element is
/// 0, and shared evenly by elements of the same |x| for the infinities, as in PyTorch.
class ESPALIER_API VectorNorm final : public OperationOf<VectorNorm, Reduction> {
 public:
  static constexpr std::string_view kName = "vector_norm";
  static KernelSlot slot;

  VectorNorm(double order, const Dims& axes, bool keepdim, double floor = 0)
      : OperationOf(axes, keepdim), order_(order), floor_(floor) {}
  double order() const noexcept { return order_; }
  double floor() const noexcept { return floor_; }
  void infer(Inputs inputs, OutputSpecs& outputs) const override;
  Tensors backward(const BackwardContext& context) const override;
  SavedForBackward saved_for_backward() const override { return {.inputs = 1, .outputs = 1}; }
  Cost cost(Inputs inputs, std::span<const OutputSpec> outputs) const override;
  void visit_attributes(AttributeVisitor& visit) override {
    Reduction::visit_attributes(visit);
    visit("order", order_);
    visit("floor", floor_);
  }

 private:
  double order_, floor_;
};

/// The norm of order `order` (any number but NaN, or an infinity) over `axes` (negative ones count from the
/// end; none: all). Throws ShapeError for an axis that is out of range, named twice, or, for negative and
/// infinite orders, without elements; TypeError for an input that is not floating; ValueError for the order
/// NaN.
ESPALIER_API Tensor vector_norm(const Tensor& x, double order = 2, const Dims& axes = {},
                                bool keepdim = false);

/// x / max(norm, epsilon) with the norms of order `order` over `axes` (none: all), in the shape of x: vectors
/// of norm 1, but for those shorter than epsilon. An epsilon that rounds to 0 in the type of x does not help
/// against the division of 0 by 0. Throws as vector_norm() does, and ValueError for a negative epsilon.
ESPALIER_API Tensor normalise(const Tensor& x, const Dims& axes = {-1}, double order = 2,
                              double epsilon = 1e-12);

}  // namespace espalier
