#pragma once

#include "core/door.h"

namespace espalier {

/// X with A X = B, by LU factorisation with partial pivoting. The gradient of B is H = A^-T G and that of A
/// is -H X^T: M. Giles, "Collected matrix derivative results for forward and reverse mode algorithmic
/// differentiation" (2008), section 2.3.1.
class ESPALIER_API Solve final : public OperationOf<Solve> {
 public:
  static constexpr std::string_view kName = "solve";
  static KernelSlot slot;

  /// Inputs [..., n, n] and [..., n, k], of one type and with equal leading axes.
  void infer(Inputs inputs, OutputSpecs& outputs) const override;
  Tensors backward(const BackwardContext& context) const override;
  SavedForBackward saved_for_backward() const override { return {.inputs = 0b01, .outputs = 1}; }
  Cost cost(Inputs inputs, std::span<const OutputSpec> outputs) const override;
  std::vector<AxisTie> axis_ties(Inputs inputs) const override;
};

/// C = A^-1, by LU factorisation with partial pivoting. The gradient of A is -C^T G C^T (Giles 2008, section
/// 2.2.3).
class ESPALIER_API Inverse final : public OperationOf<Inverse> {
 public:
  static constexpr std::string_view kName = "inverse";
  static KernelSlot slot;

  void infer(Inputs inputs, OutputSpecs& outputs) const override;
  Tensors backward(const BackwardContext& context) const override;
  SavedForBackward saved_for_backward() const override { return {.inputs = 0, .outputs = 1}; }
  Cost cost(Inputs inputs, std::span<const OutputSpec> outputs) const override;
  std::vector<AxisTie> axis_ties(Inputs inputs) const override;
};

/// X with A X = B for square matrices `a` [..., n, n] and right-hand sides `b` [..., n, k], or one vector
/// [n]; leading axes broadcast, types promote to f32 or f64. X has b's shape with the broadcast leading axes.
/// One matrix for a batch of right-hand sides is factorised once. Throws ShapeError where the shapes do not
/// fit, TypeError for narrower floating types, ValueError with the place in the batch and the pivot that is
/// zero for a singular matrix. One that is singular up to rounding gives large numbers instead.
ESPALIER_API Tensor solve(const Tensor& a, const Tensor& b);

/// The inverses of square matrices [..., n, n], f32 or f64 (integers and bools as f32). To multiply with the
/// result, solve() is faster and more accurate. Throws what solve() does.
ESPALIER_API Tensor inverse(const Tensor& a);

}  // namespace espalier
