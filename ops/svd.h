#pragma once

#include "core/door.h"

namespace espalier {

/// The thin singular value decomposition A = U diag(s) V^T, s not negative and falling. Outputs U [..., m,
/// k], s
/// [..., k] and V^T [..., k, n] with k = min(m, n). The gradient, with F_ij = 1 / (s_j^2 - s_i^2) off the
/// diagonal and 0 on it, is
///   U ((F o (U^T G_U - G_U^T U)) S + S (F o (V^T G_V - G_V^T V)) + diag(g_s)) V^T
///   + (I - U U^T) G_U S^-1 V^T + U S^-1 G_V^T (I - V V^T):
/// J. Townsend, "Differentiating the singular value decomposition" (2016).
class ESPALIER_API Svd final : public OperationOf<Svd> {
 public:
  static constexpr std::string_view kName = "svd";
  static KernelSlot slot;

  void infer(Inputs inputs, OutputSpecs& outputs) const override;
  Tensors backward(const BackwardContext& context) const override;
  SavedForBackward saved_for_backward() const override { return {.inputs = 0, .outputs = 0b111}; }
  Cost cost(Inputs inputs, std::span<const OutputSpec> outputs) const override;
  std::vector<AxisTie> axis_ties(Inputs inputs) const override;
};

struct SvdFactors {
  Tensor u;   ///< [..., m, k]
  Tensor s;   ///< [..., k], falling
  Tensor vt;  ///< [..., k, n]: the transpose of V
};

/// The thin singular value decomposition of matrices [..., m, n], f32 or f64 (integers and bools as f32), k =
/// min(m, n). The sign of a pair of singular vectors is not defined by A, nor are the vectors of singular
/// values that coincide: a loss must not depend on them. The gradient of s always exists; those of U and V
/// divide by the differences of the squared singular values and, unless A is square, by the singular values:
/// they are infinite or NaN where values coincide or are zero. Throws ShapeError for less than two axes or
/// more than 23000 rows and columns, TypeError for narrower floating types, ValueError with the place in the
/// batch for elements that are not finite.
ESPALIER_API SvdFactors svd(const Tensor& a);

}  // namespace espalier
