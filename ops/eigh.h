#pragma once

#include "core/door.h"

namespace espalier {

/// Eigenvalues, rising, and orthonormal eigenvectors of symmetric matrices: A = V diag(w) V^T. Only the lower
/// triangle of A is read. Outputs w [..., n] and V [..., n, n], whose columns are the vectors. With F_ij = 1
/// / (w_j - w_i) off the diagonal and 0 on it, the gradient is the symmetric part of V (diag(g_w) + F o (V^T
/// G_V)) V^T: M. Giles, "Collected matrix derivative results for forward and reverse mode algorithmic
/// differentiation" (2008), section 3.1.
class ESPALIER_API Eigh final : public OperationOf<Eigh> {
 public:
  static constexpr std::string_view kName = "eigh";
  static KernelSlot slot;

  void infer(Inputs inputs, OutputSpecs& outputs) const override;
  Tensors backward(const BackwardContext& context) const override;
  SavedForBackward saved_for_backward() const override { return {.inputs = 0, .outputs = 0b11}; }
  Cost cost(Inputs inputs, std::span<const OutputSpec> outputs) const override;
  std::vector<AxisTie> axis_ties(Inputs inputs) const override;
};

struct EighFactors {
  Tensor values;   ///< [..., n], rising
  Tensor vectors;  ///< [..., n, n], one a column
};

/// Eigenvalues and eigenvectors of symmetric matrices [..., n, n], f32 or f64 (integers and bools as f32).
/// The upper triangle of `a` is taken to mirror the lower one, and the gradient is symmetric. The sign of a
/// vector is not defined by A, nor are the vectors of eigenvalues that coincide: a loss must not depend on
/// them. The gradient of the values always exists; that of the vectors divides by the differences of the
/// values, so it is infinite or NaN where some coincide. Throws ShapeError for matrices that are not square
/// or have more than 32000 rows, TypeError for narrower floating types, ValueError with the place in the
/// batch for elements of the lower triangle that are not finite.
ESPALIER_API EighFactors eigh(const Tensor& a);

}  // namespace espalier
