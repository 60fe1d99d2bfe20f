#pragma once

#include "core/door.h"

namespace espalier {

/// A = Q R by Householder reflections, reduced: with k = min(m, n), Q [..., m, k] has orthonormal columns and
/// R
/// [..., k, n] is upper triangular. The gradient for m >= n is (G_Q + Q copyltu(R G_R^T - G_Q^T Q)) R^-T,
/// where copyltu mirrors the lower triangle: S. Walter, L. Lehmann, R. Lamour, "On evaluating higher-order
/// derivatives of the QR decomposition of tall matrices with full column rank in forward and reverse mode
/// algorithmic differentiation", Optimization Methods and Software 27 (2012). A wide matrix is taken apart
/// into its first m columns and the others, V = Q^T Y: D. Roberts, L. Roberts, "QR and LQ decomposition
/// matrix backpropagation algorithms for square, wide, and deep matrices", arXiv:2009.10071 (2020).
class ESPALIER_API Qr final : public OperationOf<Qr> {
 public:
  static constexpr std::string_view kName = "qr";
  static KernelSlot slot;

  void infer(Inputs inputs, OutputSpecs& outputs) const override;
  Tensors backward(const BackwardContext& context) const override;
  SavedForBackward saved_for_backward() const override { return {.inputs = 0, .outputs = 0b11}; }
  Cost cost(Inputs inputs, std::span<const OutputSpec> outputs) const override;
  std::vector<AxisTie> axis_ties(Inputs inputs) const override;
};

struct QrFactors {
  Tensor q;  ///< [..., m, k]
  Tensor r;  ///< [..., k, n]
};

/// The reduced QR factors of matrices [..., m, n], f32 or f64 (integers and bools as f32), k = min(m, n). The
/// signs on R's diagonal are LAPACK's, as in PyTorch. Throws ShapeError for less than two axes, TypeError for
/// narrower floating types. Backward throws a ValueError where the first k columns are linearly dependent.
ESPALIER_API QrFactors qr(const Tensor& a);

}  // namespace espalier
