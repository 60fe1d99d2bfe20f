#pragma once

#include <cstdint>
#include <initializer_list>
#include <limits>
#include <span>

#include "core/door.h"

namespace espalier {

/// As a stop of a Range: up to the end of the axis.
inline constexpr int64_t kEnd = std::numeric_limits<int64_t>::max();

/// The indices start, start + step, ... below stop, as NumPy's slices have it: negative starts and stops
/// count from the end, what lies outside the axis is cut off.
struct Range {
  int64_t start = 0;
  int64_t stop = kEnd;
  int64_t step = 1;  ///< at least 1
};

/// Part of the elements, by a range along each axis, as a view.
class ESPALIER_API Slice final : public OperationOf<Slice> {
 public:
  static constexpr std::string_view kName = "slice";
  static KernelSlot slot;

  /// `ranges` belong to the first axes; the axes after them stay whole. Throws ShapeError for more than
  /// kMaxRank, ValueError for a step under 1.
  explicit Slice(std::span<const Range> ranges);
  void infer(Inputs inputs, OutputSpecs& outputs) const override;
  Tensors backward(const BackwardContext& context) const override;
  SavedForBackward saved_for_backward() const override { return {.inputs = 0, .outputs = 0}; }
  std::vector<AxisTie> axis_ties(Inputs inputs) const override;
  void visit_attributes(AttributeVisitor& visit) override;

 private:
  Range range(int axis) const;

  Dims starts_, stops_, steps_;
};

/// `input[ranges...]`: `slice(x, {{}, {}, {.step = 2}, {.step = 2}})` is NumPy's `x[:, :, ::2, ::2]`. A view.
/// Axes after the last range stay whole. Throws ShapeError for more ranges than axes, ValueError for a step
/// under 1.
ESPALIER_API Tensor slice(const Tensor& input, std::span<const Range> ranges);
inline Tensor slice(const Tensor& input, std::initializer_list<Range> ranges) {
  return slice(input, std::span(ranges.begin(), ranges.size()));
}
/// The same along one axis; negative axes count from the end. Throws ShapeError for an axis out of range.
ESPALIER_API Tensor slice(const Tensor& input, int64_t axis, Range range);

/// The `length` elements from `start` on along an axis, as a view; a negative start counts from the end.
/// Throws ShapeError for an axis out of range, ValueError unless all of them are inside the axis.
ESPALIER_API Tensor narrow(const Tensor& input, int64_t axis, int64_t start, int64_t length);

}  // namespace espalier
