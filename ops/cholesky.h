#pragma once

#include "core/door.h"

namespace espalier {

/// The lower triangular L with L L^T = A and a positive diagonal, of symmetric positive definite matrices.
/// Only the lower triangle of A is read. With G the gradient of L and Phi(M) the lower triangle of M with its
/// diagonal halved, the gradient of A is the symmetric part of L^-T Phi(L^T G) L^-1: I. Murray,
/// "Differentiation of the Cholesky decomposition", arXiv:1602.07527 (2016), section 3.2; M. Giles,
/// "Collected matrix derivative results for forward and reverse mode algorithmic differentiation" (2008).
class ESPALIER_API Cholesky final : public OperationOf<Cholesky> {
 public:
  static constexpr std::string_view kName = "cholesky";
  static KernelSlot slot;

  void infer(Inputs inputs, OutputSpecs& outputs) const override;
  Tensors backward(const BackwardContext& context) const override;
  SavedForBackward saved_for_backward() const override { return {.inputs = 0, .outputs = 1}; }
  Cost cost(Inputs inputs, std::span<const OutputSpec> outputs) const override;
  std::vector<AxisTie> axis_ties(Inputs inputs) const override;
};

/// The Cholesky factor of symmetric positive definite matrices [..., n, n], f32 or f64 (integers and bools as
/// f32): lower triangular [..., n, n] with L L^T = A. The upper triangle of `a` is taken to mirror the lower
/// one, and the gradient is symmetric. Throws ShapeError for matrices that are not square, TypeError for
/// narrower floating types, ValueError with the place in the batch and the first pivot that is not positive
/// (or NaN) for one that is not positive definite.
ESPALIER_API Tensor cholesky(const Tensor& a);

}  // namespace espalier
