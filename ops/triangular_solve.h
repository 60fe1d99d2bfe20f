#pragma once

#include "core/door.h"

namespace espalier {

/// Which triangle of a matrix counts, and how it is used.
struct TriangularOptions {
  bool lower = true;        ///< the lower triangle is read, else the upper; the other one is taken to be zero
  bool transposed = false;  ///< solve with the transpose of the triangle
  bool unit_diagonal = false;  ///< the diagonal is taken to be ones, and not read
};

/// X with A X = B, or A^T X = B, for triangular A, by substitution. With H = A^-T G the gradient of B (A^-1 G
/// for the transposed system), that of A is the triangle of -H X^T (of -X H^T): M. Giles, "Collected matrix
/// derivative results for forward and reverse mode algorithmic differentiation" (2008), section 2.2.
class ESPALIER_API TriangularSolve final : public OperationOf<TriangularSolve> {
 public:
  static constexpr std::string_view kName = "triangular_solve";
  static KernelSlot slot;

  explicit TriangularSolve(TriangularOptions options) : options_(options) {}
  const TriangularOptions& options() const noexcept { return options_; }
  /// Inputs [..., n, n] and [..., n, k], of one type and with equal leading axes.
  void infer(Inputs inputs, OutputSpecs& outputs) const override;
  Tensors backward(const BackwardContext& context) const override;
  SavedForBackward saved_for_backward() const override { return {.inputs = 0b01, .outputs = 1}; }
  Cost cost(Inputs inputs, std::span<const OutputSpec> outputs) const override;
  std::vector<AxisTie> axis_ties(Inputs inputs) const override;
  void visit_attributes(AttributeVisitor& visit) override {
    visit("lower", options_.lower);
    visit("transposed", options_.transposed);
    visit("unit_diagonal", options_.unit_diagonal);
  }

 private:
  TriangularOptions options_;
};

/// X with A X = B for triangular matrices `a` [..., n, n] and right-hand sides `b` [..., n, k], or one vector
/// [n]; leading axes broadcast, types promote to f32 or f64. X has b's shape with the broadcast leading axes.
/// Throws ShapeError where the shapes do not fit, TypeError for narrower floating types, ValueError with the
/// place in the batch and the first zero on the diagonal for a singular matrix.
ESPALIER_API Tensor triangular_solve(const Tensor& a, const Tensor& b, TriangularOptions options = {});

}  // namespace espalier
