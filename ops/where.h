#pragma once

#include "core/door.h"
#include "core/scalar.h"
#include "ops/elementwise.h"

namespace espalier {

/// The elements of a where a condition holds, else those of b, with broadcasting. Inputs: the condition, of
/// bool, and a and b, of one type, which may be any. No gradient passes where an element was not taken, not
/// even NaN.
class ESPALIER_API Where final : public OperationOf<Where> {
 public:
  static constexpr std::string_view kName = "where";
  static KernelSlot slot;

  AutocastRule autocast_rule() const override { return AutocastRule::agree; }
  void infer(Inputs inputs, OutputSpecs& outputs) const override;
  Tensors backward(const BackwardContext& context) const override;
  SavedForBackward saved_for_backward() const override { return {.inputs = 1, .outputs = 0}; }
  std::vector<AxisTie> axis_ties(Inputs inputs) const override { return elementwise_ties(inputs); }
};

/// a where `condition`, a tensor of bool, holds, else b. Shapes broadcast and types promote as in add(); two
/// numbers give f32, i64 or bool. Throws ShapeError where the shapes do not agree, TypeError where a and b do
/// not or the condition is not of bool.
ESPALIER_API Tensor where(const Tensor& condition, const Tensor& a, const Tensor& b);
ESPALIER_API Tensor where(const Tensor& condition, const Tensor& a, Scalar b);
ESPALIER_API Tensor where(const Tensor& condition, Scalar a, const Tensor& b);
ESPALIER_API Tensor where(const Tensor& condition, Scalar a, Scalar b);

/// `x` with `value` in the places where `mask`, a tensor of bool, holds; mask and x broadcast. The result has
/// the type of x: throws ValueError where that is an integer type and cannot hold the value, a fraction
/// included, and the errors of where().
ESPALIER_API Tensor masked_fill(const Tensor& x, const Tensor& mask, Scalar value);

}  // namespace espalier
