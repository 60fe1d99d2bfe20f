// ONNX's operators that take tensors apart and put them together.

#include <algorithm>
#include <limits>
#include <set>

#include "core/error.h"
#include "ops/add.h"
#include "ops/compare.h"
#include "ops/concat.h"
#include "ops/embedding.h"
#include "ops/expand.h"
#include "ops/flip.h"
#include "ops/gather.h"
#include "ops/index_select.h"
#include "ops/pad.h"
#include "ops/reshape.h"
#include "ops/slice.h"
#include "ops/split.h"
#include "ops/triangle.h"
#include "ops/where.h"
#include "runtime/onnx_reading_internal.h"

namespace espalier::runtime {
namespace {

Tensors read_tile(OnnxReading& r) {
  return {tile(r.input(0), dims_of(r.integers(1)))};
}

Tensors read_concat(OnnxReading& r) {
  std::vector<Tensor> parts;
  for (size_t i = 0; i < r.input_count(); ++i) parts.push_back(r.input(i));
  return {concat(parts, r.integer("axis", 0))};
}

/// The elements from `start` on, before or (backwards) behind `stop`, of an axis of `size`: those of a range,
/// which for a negative step is to be turned around.
Range range_of(int64_t size, int64_t start, int64_t stop, int64_t step) {
  if (step > 0) return {.start = start, .stop = stop, .step = step};
  const int64_t first = std::clamp<int64_t>(start < 0 ? start + size : start, -1, size - 1);
  const int64_t last = std::clamp<int64_t>(stop < 0 ? stop + size : stop, -1, size - 1);
  if (first <= last) return {.start = 0, .stop = 0};
  const int64_t forward = -std::max(step, -std::numeric_limits<int64_t>::max());
  const int64_t lowest = first - (first - last - 1) / forward * forward;
  return {.start = lowest, .stop = first + 1, .step = forward};
}

Tensors read_slice(OnnxReading& r) {
  const Tensor& x = r.input(0);
  const std::vector<int64_t> starts = r.integers(1), stops = r.integers(2);
  std::vector<int64_t> axes = r.integers(3), steps = r.integers(4);
  for (size_t i = 0; i < starts.size() && !r.has(3); ++i) axes.push_back(static_cast<int64_t>(i));
  if (!r.has(4)) steps.assign(starts.size(), 1);
  if (stops.size() != starts.size() || axes.size() != starts.size() || steps.size() != starts.size())
    r.refuse("has lists of different lengths");
  std::vector<Range> ranges;
  Dims turned;
  std::set<int> seen;
  for (size_t i = 0; i < starts.size(); ++i) {
    const int axis = r.axis(axes[i], x.rank());
    if (steps[i] == 0) r.refuse("has a step of 0");
    if (!seen.insert(axis).second) r.refuse("names an axis twice");
    ranges.resize(std::max(ranges.size(), static_cast<size_t>(axis) + 1));
    ranges[static_cast<size_t>(axis)] = range_of(x.shape()[axis], starts[i], stops[i], steps[i]);
    if (steps[i] < 0) turned.push_back(axis);
  }
  const Tensor part = slice(x, ranges);
  return {turned.empty() ? part : flip(part, turned)};
}

/// The sizes of a Split's parts.
std::vector<int64_t> part_sizes(OnnxReading& r, int64_t size) {
  const auto parts = static_cast<int64_t>(r.node().outputs.size());
  if (parts == 0) r.refuse("has no outputs");
  const bool counted = r.has_attribute("num_outputs");
  r.expect("num_outputs", parts);
  if (r.has(1)) return r.integers(1);
  if (!counted && size % parts != 0)
    r.refuse("cuts " + std::to_string(size) + " elements into " + std::to_string(parts) + " equal parts");
  const int64_t each = (size + parts - 1) / parts;
  std::vector<int64_t> sizes(static_cast<size_t>(parts), each);
  sizes.back() = size - each * (parts - 1);
  return sizes;
}

Tensors read_split(OnnxReading& r) {
  const Tensor& x = r.input(0);
  const int axis = r.axis(r.integer("axis", 0), x.rank());
  const std::vector<int64_t> sizes = part_sizes(r, x.shape()[axis]);
  int64_t first = 0;
  for (const int64_t size : sizes) {
    if (size < 0 || size > x.shape()[axis] - first) first = -1;
    if (first < 0) break;
    first += size;
  }
  if (first != x.shape()[axis] || sizes.size() != r.node().outputs.size())
    r.refuse("cuts " + describe(x) + " into other parts than there are");
  constexpr size_t kMostParts = 32;  // that split() makes
  const bool equal = std::all_of(sizes.begin(), sizes.end(), [&](int64_t size) { return size == sizes[0]; });
  if (equal && sizes[0] > 0 && sizes.size() <= kMostParts) return split(x, sizes[0], axis);
  Tensors parts;
  first = 0;
  for (const int64_t size : sizes) {
    parts.push_back(narrow(x, axis, first, size));
    first += size;
  }
  return parts;
}

/// Indices from 0 up: ONNX's negative ones, where they are known, count from the end.
Tensor from_the_start(OnnxReading& r, size_t input, int64_t size) {
  if (!r.is_known(input)) return r.input(input);
  const Tensor indices = r.known(input);
  return where(less(indices, 0), indices + size, indices);
}

Tensors read_gather(OnnxReading& r) {
  const Tensor& x = r.input(0);
  const int axis = r.axis(r.integer("axis", 0), x.rank());
  const Tensor indices = from_the_start(r, 1, x.shape()[axis]);
  Shape shape = x.shape();
  shape.erase(axis);
  for (int i = 0; i < indices.rank(); ++i) shape.insert(axis + i, indices.shape()[i]);
  if (r.is_known(1) && indices.numel() == 1)
    return {reshape(narrow(x, axis, static_cast<int64_t>(indices.item()), 1), shape)};
  if (axis == 0 && x.rank() == 2) return {embedding(x, indices)};
  return {reshape(index_select(x, axis, reshape(indices, {indices.numel()})), shape)};
}

Tensors read_gather_elements(OnnxReading& r) {
  const Tensor& x = r.input(0);
  const int axis = r.axis(r.integer("axis", 0), x.rank());
  return {gather(x, axis, from_the_start(r, 1, x.shape()[axis]))};
}

Tensors read_pad(OnnxReading& r) {
  if (r.word("mode", "constant") != "constant") r.refuse("has another mode than 'constant'");
  Tensor x = r.input(0);
  const std::vector<int64_t> pads = r.integers(1);
  std::vector<int> axes;
  for (const int64_t axis : r.integers(3)) axes.push_back(r.axis(axis, x.rank()));
  for (int i = 0; i < x.rank() && !r.has(3); ++i) axes.push_back(i);
  if (pads.size() != 2 * axes.size())
    r.refuse("has " + std::to_string(pads.size()) + " pads for " + std::to_string(axes.size()) + " axes");
  Dims before = Dims::filled(x.rank(), 0), after = before;
  for (size_t i = 0; i < axes.size(); ++i) {
    const int64_t first = pads[i], last = pads[axes.size() + i], size = x.shape()[axes[i]];
    const int64_t cut_first = std::min<int64_t>(first, 0), cut_last = std::min<int64_t>(last, 0);
    if (cut_first < -size || cut_last < -size || cut_first + cut_last < -size)
      r.refuse("takes away more than there is");
    // What is less than nothing is cut off.
    if (cut_first < 0 || cut_last < 0) x = narrow(x, axes[i], -cut_first, size + cut_first + cut_last);
    before[axes[i]] = std::max<int64_t>(first, 0);
    after[axes[i]] = std::max<int64_t>(last, 0);
  }
  return {pad(x, before, after, r.has(2) ? r.scalar(2) : Scalar(0))};
}

Tensors read_trilu(OnnxReading& r) {
  const int64_t diagonal = r.has(1) ? r.scalar(1).to_int() : 0;
  return {r.integer("upper", 1) != 0 ? triu(r.input(0), diagonal) : tril(r.input(0), diagonal)};
}

}  // namespace

const OnnxReaders& part_onnx_readers() {
  static const OnnxReaders all = {
      {"Concat", read_concat}, {"Gather", read_gather}, {"GatherElements", read_gather_elements},
      {"Pad", read_pad},       {"Slice", read_slice},   {"Split", read_split},
      {"Tile", read_tile},     {"Trilu", read_trilu},
  };
  return all;
}

}  // namespace espalier::runtime
