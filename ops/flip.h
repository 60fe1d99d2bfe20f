#pragma once

#include "core/door.h"

namespace espalier {

/// The elements in reverse order along some axes, in memory of the input's order of axes. Any type.
class ESPALIER_API Flip final : public OperationOf<Flip> {
 public:
  static constexpr std::string_view kName = "flip";
  static KernelSlot slot;

  /// Negative axes count from the end.
  explicit Flip(const Dims& axes) : axes_(axes) {}
  void infer(Inputs inputs, OutputSpecs& outputs) const override;
  Tensors backward(const BackwardContext& context) const override;
  SavedForBackward saved_for_backward() const override { return {.inputs = 0, .outputs = 0}; }
  std::vector<AxisTie> axis_ties(Inputs inputs) const override;
  void visit_attributes(AttributeVisitor& visit) override { visit("axes", axes_); }

  /// A bit for each axis that is reversed. Throws ShapeError for one that is out of range or named twice.
  uint32_t reversed(int rank) const;

 private:
  Dims axes_;
};

/// `input` with the order of its elements reversed along `axes`: a copy, as in PyTorch. Throws ShapeError for
/// an axis that is out of range or named twice.
ESPALIER_API Tensor flip(const Tensor& input, const Dims& axes);

/// `input` moved by `shift` places along an axis; what leaves at one end comes in at the other. Throws
/// ShapeError for an axis out of range.
ESPALIER_API Tensor roll(const Tensor& input, int64_t shift, int64_t axis);

}  // namespace espalier
