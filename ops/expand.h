#pragma once

#include "core/door.h"

namespace espalier {

/// A view that repeats axes of size 1, and leads with new ones, without a copy.
class ESPALIER_API Expand final : public OperationOf<Expand> {
 public:
  static constexpr std::string_view kName = "expand";
  static KernelSlot slot;

  explicit Expand(const Shape& shape) : shape_(shape) {}
  void infer(Inputs inputs, OutputSpecs& outputs) const override;
  Tensors backward(const BackwardContext& context) const override;
  SavedForBackward saved_for_backward() const override { return {.inputs = 0, .outputs = 0}; }
  std::vector<AxisTie> axis_ties(Inputs inputs) const override;
  void visit_attributes(AttributeVisitor& visit) override { visit("shape", shape_); }

 private:
  Shape shape_;
};

/// `input` seen with `shape`, to which it must broadcast; -1 keeps an axis as it is. Throws ShapeError
/// otherwise.
ESPALIER_API Tensor expand(const Tensor& input, const Shape& shape);

/// `input` laid side by side `repeats[i]` times along axis i, as NumPy's and PyTorch's tile: [1, 2] twice is
/// [1, 2, 1, 2]. Fewer numbers than axes belong to the last ones, more make new axes in front. Throws
/// ShapeError for a negative number.
ESPALIER_API Tensor tile(const Tensor& input, const Dims& repeats);
/// Each slice along `axis` `repeats` times: [1, 2] twice is [1, 1, 2, 2]. Throws ShapeError for an axis out
/// of range or a negative number.
ESPALIER_API Tensor repeat_interleave(const Tensor& input, int64_t repeats, int64_t axis);

}  // namespace espalier
