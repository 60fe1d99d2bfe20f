// ONNX's operators that arrange elements, or make them of shapes.

#include <algorithm>
#include <limits>
#include <set>

#include "core/create.h"
#include "core/error.h"
#include "ops/add.h"
#include "ops/cast.h"
#include "ops/compare.h"
#include "ops/concat.h"
#include "ops/embedding.h"
#include "ops/expand.h"
#include "ops/flip.h"
#include "ops/gather.h"
#include "ops/index_select.h"
#include "ops/pad.h"
#include "ops/permute.h"
#include "ops/reshape.h"
#include "ops/slice.h"
#include "ops/split.h"
#include "ops/triangle.h"
#include "ops/where.h"
#include "runtime/onnx_reading_internal.h"

namespace espalier::runtime {
namespace {

template <class T>
Tensor list_of(const std::vector<T>& values) {
  return from_values(values, {static_cast<int64_t>(values.size())});
}

/// An axis of `rank`, counted from 0.
int axis_of(const OnnxReading& r, int64_t axis, int rank) {
  return normalize_axis(axis, rank, r.node().type);
}

/// The axes that an input names (an attribute, in no version that is read), each once.
std::vector<int> axes_of(OnnxReading& r, size_t input, int rank) {
  std::vector<int> axes;
  for (const int64_t axis : r.integers(input)) axes.push_back(axis_of(r, axis, rank));
  std::sort(axes.begin(), axes.end());
  if (std::adjacent_find(axes.begin(), axes.end()) != axes.end()) r.refuse("names an axis twice");
  return axes;
}

Tensors read_identity(OnnxReading& r) {
  return {r.input(0)};
}

Tensors read_dropout(OnnxReading& r) {
  r.ignore("seed");
  r.ignore(1);  // the share
  if (r.has(2) && r.known(2).item() != 0) r.refuse("is in training; export the model in evaluation mode");
  return {r.input(0)};
}

/// One that is a tensor is taken for an initializer.
Tensors read_constant(OnnxReading& r) {
  if (r.has_attribute("value_int")) return {full({}, r.integer("value_int", 0), Dtype::i64)};
  if (r.has_attribute("value_float")) return {full({}, r.number("value_float", 0))};
  if (r.has_attribute("value_ints")) return {list_of(r.integers("value_ints", {}))};
  if (r.has_attribute("value_floats")) return {list_of(r.numbers("value_floats", {}))};
  r.refuse("has no value that is read: a tensor or numbers");
}

Tensors read_constant_of_shape(OnnxReading& r) {
  const Tensor value = r.has_attribute("value") ? r.tensor("value") : zeros({1});
  if (value.numel() != 1) r.refuse("has " + describe(value) + " as its value, not one element");
  return {expand(reshape(value, {}), dims_of(r.integers(0)))};
}

Tensors read_shape(OnnxReading& r) {
  const Shape& shape = r.input(0).shape();
  const auto clamped = [&](int64_t axis) {
    return std::clamp<int64_t>(axis < 0 ? axis + shape.rank() : axis, 0, shape.rank());
  };
  const int64_t start = clamped(r.integer("start", 0)), end = clamped(r.integer("end", shape.rank()));
  return {list_of(std::vector(shape.begin() + start, shape.begin() + std::max(start, end)))};
}

Tensors read_size(OnnxReading& r) {
  return {full({}, r.input(0).numel(), Dtype::i64)};
}

Tensors read_range(OnnxReading& r) {
  const Dtype dtype = r.input(0).dtype();
  const Scalar start = r.scalar(0), stop = r.scalar(1), step = r.scalar(2);
  const double count = step.to_double() == 0 ? 0 : (stop.to_double() - start.to_double()) / step.to_double();
  if (!(count > 0)) return {empty({0}, dtype)};  // arange() refuses a step away from the end
  constexpr double kMost = 1e15;                 // beyond any budget, and far from where i64 ends
  r.budget().take({static_cast<int64_t>(std::min(count, kMost)) + 1}, dtype);
  return {arange(start, stop, step, dtype)};
}

Tensors read_reshape(OnnxReading& r) {
  const Tensor& x = r.input(0);
  Shape shape = dims_of(r.integers(1));
  const bool zeros_mean_zero = r.integer("allowzero", 0) != 0;
  for (int i = 0; i < shape.rank(); ++i) {
    if (shape[i] == 0 && !zeros_mean_zero) shape[i] = x.size(i);
  }
  return {reshape(x, shape)};
}

Tensors read_flatten(OnnxReading& r) {
  const Tensor& x = r.input(0);
  const int64_t axis = r.integer("axis", 1);
  const int first = axis == x.rank() ? x.rank() : axis_of(r, axis, x.rank());
  int64_t rows = 1, columns = 1;
  for (int i = 0; i < x.rank(); ++i) (i < first ? rows : columns) *= x.shape()[i];
  return {reshape(x, {rows, columns})};
}

Tensors read_squeeze(OnnxReading& r) {
  const Tensor& x = r.input(0);
  Shape shape = x.shape();
  std::vector<int> axes = axes_of(r, 1, x.rank());
  for (int i = 0; i < x.rank() && !r.has(1); ++i) {
    if (shape[i] == 1) axes.push_back(i);
  }
  for (size_t i = axes.size(); i-- > 0;) {
    if (shape[axes[i]] != 1) r.refuse("takes axis " + std::to_string(axes[i]) + " from " + describe(x));
    shape.erase(axes[i]);
  }
  return {reshape(x, shape)};
}

Tensors read_unsqueeze(OnnxReading& r) {
  const Tensor& x = r.input(0);
  Shape shape = x.shape();
  const auto added = static_cast<int>(std::min<size_t>(r.integers(1).size(), kMaxRank));
  for (const int axis : axes_of(r, 1, x.rank() + added)) shape.insert(axis, 1);
  return {reshape(x, shape)};
}

Tensors read_transpose(OnnxReading& r) {
  const Tensor& x = r.input(0);
  std::vector<int64_t> reversed;
  for (int i = x.rank(); i-- > 0;) reversed.push_back(i);
  return {permute(x, dims_of(r.integers("perm", reversed)))};
}

Tensors read_expand(OnnxReading& r) {
  const Tensor& x = r.input(0);
  return {expand(x, broadcast_shapes(x.shape(), dims_of(r.integers(1)), r.node().type))};
}

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
    const int axis = axis_of(r, axes[i], x.rank());
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
  const int axis = axis_of(r, r.integer("axis", 0), x.rank());
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
  const int axis = axis_of(r, r.integer("axis", 0), x.rank());
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
  const int axis = axis_of(r, r.integer("axis", 0), x.rank());
  return {gather(x, axis, from_the_start(r, 1, x.shape()[axis]))};
}

Tensors read_pad(OnnxReading& r) {
  if (r.word("mode", "constant") != "constant") r.refuse("has another mode than 'constant'");
  Tensor x = r.input(0);
  const std::vector<int64_t> pads = r.integers(1);
  std::vector<int> axes;
  for (const int64_t axis : r.integers(3)) axes.push_back(axis_of(r, axis, x.rank()));
  for (int i = 0; i < x.rank() && !r.has(3); ++i) axes.push_back(i);
  if (pads.size() != 2 * axes.size())
    r.refuse("has " + std::to_string(pads.size()) + " pads for " + std::to_string(axes.size()) + " axes");
  Dims before = Dims::filled(x.rank(), 0), after = before;
  for (size_t i = 0; i < axes.size(); ++i) {
    const int64_t first = pads[i], last = pads[axes.size() + i], size = x.shape()[axes[i]];
    if (first < -size || last < -size || first + last < -size) r.refuse("takes away more than there is");
    if (first < 0 || last < 0)  // what is less than nothing is cut off
      x = narrow(x, axes[i], std::max<int64_t>(-first, 0),
                 size + std::min<int64_t>(first, 0) + std::min<int64_t>(last, 0));
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

const OnnxReaders& shape_onnx_readers() {
  static const OnnxReaders all = {
      {"Concat", read_concat},
      {"Constant", read_constant},
      {"ConstantOfShape", read_constant_of_shape},
      {"Dropout", read_dropout},
      {"Expand", read_expand},
      {"Flatten", read_flatten},
      {"Gather", read_gather},
      {"GatherElements", read_gather_elements},
      {"Identity", read_identity},
      {"Pad", read_pad},
      {"Range", read_range},
      {"Reshape", read_reshape},
      {"Shape", read_shape},
      {"Size", read_size},
      {"Slice", read_slice},
      {"Split", read_split},
      {"Squeeze", read_squeeze},
      {"Tile", read_tile},
      {"Transpose", read_transpose},
      {"Trilu", read_trilu},
      {"Unsqueeze", read_unsqueeze},
  };
  return all;
}

}  // namespace espalier::runtime
