#pragma once

#include "core/door.h"

namespace espalier {

/// What the two triangles of matrices have in common: the last two axes are rows and columns, and what is not
/// kept becomes zero. Any type.
class ESPALIER_API Triangle : public Operation {
 public:
  /// `diagonal` 0 is the main diagonal, 1 the one above it, -1 the one below.
  explicit Triangle(int64_t diagonal) : diagonal_(diagonal) {}
  int64_t diagonal() const noexcept { return diagonal_; }
  void infer(Inputs inputs, OutputSpecs& outputs) const override;
  SavedForBackward saved_for_backward() const override { return {.inputs = 0, .outputs = 0}; }
  std::vector<AxisTie> axis_ties(Inputs inputs) const override;
  void visit_attributes(AttributeVisitor& visit) override { visit("diagonal", diagonal_); }

 private:
  int64_t diagonal_;
};

/// The diagonal and what is below it.
class ESPALIER_API Tril final : public OperationOf<Tril, Triangle> {
 public:
  static constexpr std::string_view kName = "tril";
  static KernelSlot slot;

  using OperationOf::OperationOf;
  Tensors backward(const BackwardContext& context) const override;
};

/// The diagonal and what is above it.
class ESPALIER_API Triu final : public OperationOf<Triu, Triangle> {
 public:
  static constexpr std::string_view kName = "triu";
  static KernelSlot slot;

  using OperationOf::OperationOf;
  Tensors backward(const BackwardContext& context) const override;
};

/// `input` [..., rows, columns] with zeros where column - row > `diagonal`. Throws ShapeError for fewer than
/// two axes.
ESPALIER_API Tensor tril(const Tensor& input, int64_t diagonal = 0);
/// `input` [..., rows, columns] with zeros where column - row < `diagonal`. Throws ShapeError for fewer than
/// two axes.
ESPALIER_API Tensor triu(const Tensor& input, int64_t diagonal = 0);

/// The elements [..., k] of `input` [..., rows, columns] with column - row = `offset`: k = 0 where there are
/// none. A view where rows and columns lie row-major in memory, else a view of a copy. Throws ShapeError for
/// fewer than two axes.
ESPALIER_API Tensor diagonal(const Tensor& input, int64_t offset = 0);

}  // namespace espalier
