#pragma once

#include "core/door.h"

namespace espalier {

/// The matrix product of the last two axes, C[..., i, j] = sum over l of A[..., i, l] B[..., l, j]. A vector
/// on the left is a row, one on the right a column, and the axis so added is taken out of the result again;
/// the axes before the last two broadcast. Floating types sum in f32 or wider; integers wrap.
class ESPALIER_API MatMul final : public OperationOf<MatMul> {
 public:
  static constexpr std::string_view kName = "matmul";
  static KernelSlot slot;

  AutocastRule autocast_rule() const override { return AutocastRule::narrow; }
  void infer(Inputs inputs, OutputSpecs& outputs) const override;
  Tensors backward(const BackwardContext& context) const override;
  Cost cost(Inputs inputs, std::span<const OutputSpec> outputs) const override;
  std::vector<AxisTie> axis_ties(Inputs inputs) const override;
};

/// The matrix product of `a` and `b`, of one type: vectors, matrices, or batches of matrices whose leading
/// axes broadcast (numpy.matmul). Transposed operands are read where they lie. Throws ShapeError for a
/// scalar, inner sizes that differ or leading axes that do not broadcast; TypeError for bool, 8-bit floats,
/// or two types.
ESPALIER_API Tensor matmul(const Tensor& a, const Tensor& b);

/// The sum of products of two vectors of one length, a scalar. Throws ShapeError for anything else, and what
/// matmul throws.
ESPALIER_API Tensor dot(const Tensor& a, const Tensor& b);
/// All products of two vectors: [n] and [m] to [n, m]. Throws ShapeError for other ranks.
ESPALIER_API Tensor outer(const Tensor& a, const Tensor& b);

}  // namespace espalier
