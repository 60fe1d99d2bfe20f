#pragma once

#include "core/door.h"

namespace espalier {

/// Looks up rows of a table: weights [V, D] and indices of any shape (i32 or i64) give [shape of the
/// indices..., D], whose last axis holds the rows. Any type of weights that computes.
class ESPALIER_API Embedding final : public OperationOf<Embedding> {
 public:
  static constexpr std::string_view kName = "embedding";
  static KernelSlot slot;

  void infer(Inputs inputs, OutputSpecs& outputs) const override;
  Tensors backward(const BackwardContext& context) const override;
  SavedForBackward saved_for_backward() const override { return {.inputs = 0b10, .outputs = 0}; }
  Cost cost(Inputs inputs, std::span<const OutputSpec> outputs) const override;
  std::vector<AxisTie> axis_ties(Inputs inputs) const override;
};

/// Rows `indices` of `weights` [V, D]: shape [shape of the indices..., D]. Throws ShapeError unless `weights`
/// has two axes, TypeError unless the indices are i32 or i64, ValueError for an index outside [0, V).
ESPALIER_API Tensor embedding(const Tensor& weights, const Tensor& indices);

/// The gradient of Embedding with respect to the weights: row v of the output [V, D] is the sum of the rows
/// of the gradient [..., D] whose index is v, in the order of the indices (so the sum does not depend on the
/// threads). Floating types, added up in f32 or wider.
class ESPALIER_API EmbeddingBackward final : public OperationOf<EmbeddingBackward> {
 public:
  static constexpr std::string_view kName = "embedding_backward";
  static KernelSlot slot;

  /// `rows` is V. The inputs are the gradient and the indices.
  explicit EmbeddingBackward(int64_t rows) : rows_(rows) {}
  void infer(Inputs inputs, OutputSpecs& outputs) const override;
  Tensors backward(const BackwardContext& context) const override;
  SavedForBackward saved_for_backward() const override { return {.inputs = 0b10, .outputs = 0}; }
  Cost cost(Inputs inputs, std::span<const OutputSpec> outputs) const override;
  std::vector<AxisTie> axis_ties(Inputs inputs) const override;
  void visit_attributes(AttributeVisitor& visit) override { visit("rows", rows_); }

 private:
  int64_t rows_;
};

}  // namespace espalier
