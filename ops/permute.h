#pragma once

#include "core/door.h"

namespace espalier {

/// The same elements with the axes in another order, as a view.
class ESPALIER_API Permute final : public OperationOf<Permute> {
 public:
  static constexpr std::string_view kName = "permute";
  static KernelSlot slot;

  /// Axis i of the output is axis `axes[i]` of the input; negative axes count from the end.
  explicit Permute(const Dims& axes) : axes_(axes) {}
  void infer(Inputs inputs, OutputSpecs& outputs) const override;
  Tensors backward(const BackwardContext& context) const override;
  SavedForBackward saved_for_backward() const override { return {.inputs = 0, .outputs = 0}; }
  std::vector<AxisTie> axis_ties(Inputs inputs) const override;
  void visit_attributes(AttributeVisitor& visit) override { visit("axes", axes_); }

 private:
  Dims axes_;
};

/// `input` with its axes in the order `axes`: axis i of the result is axis `axes[i]` of the input. A view.
/// Throws ShapeError unless `axes` names each axis once.
ESPALIER_API Tensor permute(const Tensor& input, const Dims& axes);
/// `input` with two axes exchanged, as a view. Throws ShapeError for an axis out of range.
ESPALIER_API Tensor transpose(const Tensor& input, int64_t a, int64_t b);

}  // namespace espalier
