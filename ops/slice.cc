#include "ops/slice.h"

#include <algorithm>
#include <array>
#include <string>

#include "ops/pad.h"

namespace espalier {
namespace {

/// A range on an axis of known size: the first index and how many there are.
struct Picked {
  int64_t first;
  int64_t count;
};

Picked pick(const Range& range, int64_t size) {
  const auto inside = [size](int64_t index) {
    return std::clamp<int64_t>(index < 0 ? index + size : index, 0, size);
  };
  const int64_t first = inside(range.start);
  const int64_t length = std::max<int64_t>(inside(range.stop) - first, 0);
  return {first, length / range.step + (length % range.step != 0)};
}

}  // namespace

Slice::Slice(std::span<const Range> ranges) {
  for (const Range& range : ranges) {
    if (range.step < 1)
      throw ValueError(kName, "step " + std::to_string(range.step) + "; expected 1 or more");
    starts_.push_back(range.start);
    stops_.push_back(range.stop);
    steps_.push_back(range.step);
  }
}

void Slice::visit_attributes(AttributeVisitor& visit) {
  visit("starts", starts_);
  visit("stops", stops_);
  visit("steps", steps_);
  if (stops_.rank() != starts_.rank() || steps_.rank() != starts_.rank()) {
    throw ValueError(kName, "starts " + to_string(starts_) + ", stops " + to_string(stops_) + ", steps " +
                                to_string(steps_) + "; expected as many of each");
  }
  std::vector<Range> ranges;
  for (int axis = 0; axis < starts_.rank(); ++axis) ranges.push_back(range(axis));
  *this = Slice(ranges);  // which checks them
}

Range Slice::range(int axis) const {
  return axis < starts_.rank() ? Range{starts_[axis], stops_[axis], steps_[axis]} : Range{};
}

void Slice::infer(Inputs inputs, OutputSpecs& outputs) const {
  const Tensor& input = inputs[0];
  if (starts_.rank() > input.rank()) {
    throw ShapeError(kName, std::to_string(starts_.rank()) + " ranges for the " +
                                std::to_string(input.rank()) + " axes of " + describe(input));
  }
  Shape shape = input.shape();
  Strides strides = input.strides();
  int64_t offset = input.offset();
  for (int axis = 0; axis < starts_.rank(); ++axis) {
    const Picked picked = pick(range(axis), shape[axis]);
    if (picked.count > 0) offset += picked.first * strides[axis];
    shape[axis] = picked.count;
    if (picked.count > 1) strides[axis] *= steps_[axis];
  }
  outputs.push_back(OutputSpec::view(0, input, shape, strides, offset));
}

Tensors Slice::backward(const BackwardContext& context) const {
  const Shape& shape = context.input_shape(0);
  const Dims none = Dims::filled(shape.rank(), 0);
  Dims before = none, between = none, after = none;
  for (int axis = 0; axis < starts_.rank(); ++axis) {
    const Picked picked = pick(range(axis), shape[axis]);
    after[axis] = shape[axis];
    if (picked.count == 0) continue;
    before[axis] = picked.first;
    between[axis] = picked.count > 1 ? steps_[axis] - 1 : 0;
    after[axis] -= picked.first + (picked.count - 1) * (between[axis] + 1) + 1;
  }
  return {apply_one(Pad(before, between, after, 0), context.gradient(0))};
}

std::vector<AxisTie> Slice::axis_ties(Inputs inputs) const {
  // An axis that is only partly seen may not shrink: the range would pick others.
  std::vector<AxisTie> ties;
  for (int axis = 0; axis < inputs[0].rank(); ++axis) {
    const int64_t size = inputs[0].shape()[axis];
    if (pick(range(axis), size).count == size) ties.push_back({{{0, axis}, {-1, axis}}});
  }
  return ties;
}

Tensor slice(const Tensor& input, std::span<const Range> ranges) {
  return apply_one(Slice(ranges), input);
}

Tensor slice(const Tensor& input, int64_t axis, Range range) {
  check_defined(Slice::kName, input);
  std::array<Range, kMaxRank> ranges{};
  const int at = normalize_axis(axis, input.rank(), Slice::kName);
  ranges[static_cast<size_t>(at)] = range;
  return slice(input, std::span(ranges.data(), static_cast<size_t>(at) + 1));
}

Tensor narrow(const Tensor& input, int64_t axis, int64_t start, int64_t length) {
  check_defined("narrow", input);
  const int64_t size = input.shape()[normalize_axis(axis, input.rank(), "narrow")];
  const int64_t first = start < 0 ? start + size : start;
  if (first < 0 || first > size || length < 0 || length > size - first) {
    throw ValueError("narrow", std::to_string(length) + " elements from " + std::to_string(start) +
                                   " on are not inside axis " + std::to_string(axis) + " of " +
                                   describe(input));
  }
  return slice(input, axis, {first, first + length});
}

}  // namespace espalier
