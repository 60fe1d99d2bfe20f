#pragma once

#include "core/door.h"

namespace espalier {

/// The determinant, as the product of the pivots of an LU factorisation. Its gradient is G det(A) A^-T: M.
/// Giles, "Collected matrix derivative results for forward and reverse mode algorithmic differentiation"
/// (2008), section 2.2.4.
class ESPALIER_API Determinant final : public OperationOf<Determinant> {
 public:
  static constexpr std::string_view kName = "determinant";
  static KernelSlot slot;

  void infer(Inputs inputs, OutputSpecs& outputs) const override;
  Tensors backward(const BackwardContext& context) const override;
  SavedForBackward saved_for_backward() const override { return {.inputs = 1, .outputs = 1}; }
  Cost cost(Inputs inputs, std::span<const OutputSpec> outputs) const override;
  std::vector<AxisTie> axis_ties(Inputs inputs) const override;
};

/// The sign of the determinant (-1, 0 or 1; without a gradient) and the logarithm of its absolute value,
/// whose gradient is G A^-T.
class ESPALIER_API LogDeterminant final : public OperationOf<LogDeterminant> {
 public:
  static constexpr std::string_view kName = "log_determinant";
  static KernelSlot slot;

  void infer(Inputs inputs, OutputSpecs& outputs) const override;
  Tensors backward(const BackwardContext& context) const override;
  SavedForBackward saved_for_backward() const override { return {.inputs = 1, .outputs = 0}; }
  bool differentiable(int output) const override { return output == 1; }
  Cost cost(Inputs inputs, std::span<const OutputSpec> outputs) const override;
  std::vector<AxisTie> axis_ties(Inputs inputs) const override;
};

/// The determinants [...] of square matrices [..., n, n], f32 or f64 (integers and bools as f32); 0 for a
/// singular matrix, 1 for one without elements. Overflows early: slogdet() does not. Throws ShapeError for
/// matrices that are not square, TypeError for narrower floating types. At a singular matrix backward throws
/// a ValueError.
ESPALIER_API Tensor determinant(const Tensor& a);

struct SignAndLog {
  Tensor sign;           ///< -1, 0 or 1
  Tensor log_magnitude;  ///< log |det A|
};

/// Sign and logarithm of the absolute value of the determinants, each [...]: (0, -infinity) for a singular
/// matrix. Otherwise as determinant().
ESPALIER_API SignAndLog slogdet(const Tensor& a);

}  // namespace espalier
