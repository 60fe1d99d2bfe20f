#pragma once

#include "core/door.h"

namespace espalier {

/// The same elements in row-major order under another shape, as a view; the input's layout must allow it
/// (reshape() copies where it does not).
class ESPALIER_API Reshape final : public OperationOf<Reshape> {
 public:
  static constexpr std::string_view kName = "reshape";
  static KernelSlot slot;

  explicit Reshape(const Shape& shape) : shape_(shape) {}
  void infer(Inputs inputs, OutputSpecs& outputs) const override;
  Tensors backward(const BackwardContext& context) const override;
  SavedForBackward saved_for_backward() const override { return {.inputs = 0, .outputs = 0}; }
  void visit_attributes(AttributeVisitor& visit) override { visit("shape", shape_); }

 private:
  Shape shape_;
};

/// `input` under another shape with as many elements; one size may be -1 and is found from the others. A view
/// where the layout allows one, else a view of a row-major copy. Throws ShapeError where the numbers of
/// elements differ.
ESPALIER_API Tensor reshape(const Tensor& input, const Shape& shape);
/// The axes from `first` to `last`, both included, joined to one.
ESPALIER_API Tensor flatten(const Tensor& input, int64_t first = 0, int64_t last = -1);
/// One axis taken apart into several, the inverse of flatten; one of the sizes may be -1. Throws ShapeError
/// where their product is not the size of the axis, or there are none.
ESPALIER_API Tensor unflatten(const Tensor& input, int64_t axis, const Shape& sizes);
/// `input` without an axis of size 1; negative axes count from the end. Throws ShapeError for another size.
ESPALIER_API Tensor squeeze(const Tensor& input, int64_t axis);
/// `input` with a new axis of size 1 that becomes axis `axis` of the result; negative axes count from its
/// end. Throws ShapeError for an axis out of range.
ESPALIER_API Tensor unsqueeze(const Tensor& input, int64_t axis);
/// A second tensor on the same elements, connected to `input` for gradients.
ESPALIER_API Tensor alias(const Tensor& input);

}  // namespace espalier
