#include "ops/at.h"

#include <algorithm>
#include <string>
#include <vector>

#include "ops/index_select.h"
#include "ops/masked_select_internal.h"
#include "ops/reshape.h"

namespace espalier {
namespace {

bool is_mask(const Tensor& tensor) {
  return tensor.dtype() == Dtype::boolean;
}

/// Axes of x that an entry takes.
int axes_of(const At& entry) {
  switch (entry.kind()) {
    case At::Kind::new_axis:
    case At::Kind::ellipsis:
      return 0;
    case At::Kind::tensor:
      return is_mask(entry.tensor()) ? entry.tensor().rank() : 1;
    default:
      return 1;
  }
}

/// How many axes the ellipsis stands for. Throws unless the entries fit the axes.
int check_entries(const Tensor& x, std::span<const At> entries) {
  int taken = 0, ellipses = 0, tensors = 0;
  for (const At& entry : entries) {
    ellipses += entry.kind() == At::Kind::ellipsis;
    if (entry.kind() == At::Kind::tensor) {
      ++tensors;
      check_defined("at", entry.tensor());
      const Dtype dtype = entry.tensor().dtype();
      if (dtype != Dtype::i32 && dtype != Dtype::i64 && dtype != Dtype::boolean)
        throw TypeError("at",
                        "entry " + describe(entry.tensor()) + "; expected indices of i32 or i64, or bools");
      if (axes_of(entry) == 0) throw ShapeError("at", "a mask without axes; expected one or more");
    }
    taken += axes_of(entry);
  }
  if (taken > x.rank())
    throw ShapeError("at", "entries for " + std::to_string(taken) + " axes of " + describe(x));
  if (ellipses > 1) throw ShapeError("at", "more than one kEllipsis for " + describe(x));
  if (tensors > 1)
    throw ValueError("at", "more than one tensor among the entries for " + describe(x) + "; use gather");
  return x.rank() - taken;
}

/// The range that holds one number.
Range range_of(int64_t number, const Tensor& x, int axis) {
  const int64_t size = x.shape()[axis];
  const int64_t index = number < 0 ? number + size : number;
  if (index < 0 || index >= size) {
    throw ValueError("at", "index " + std::to_string(number) + " is outside axis " + std::to_string(axis) +
                               " of " + describe(x));
  }
  return {index, index + 1};
}

/// Indices or a mask from axis `axis` of `x` on.
Tensor pick(const Tensor& x, int axis, const Tensor& by) {
  const Shape& shape = x.shape();
  Shape result(std::span(shape.begin(), static_cast<size_t>(axis)));
  const auto add = [&result](const int64_t* begin, const int64_t* end) {
    std::for_each(begin, end, [&](int64_t size) { result.push_back(size); });
  };
  if (!is_mask(by)) {
    add(by.shape().begin(), by.shape().end());
    add(shape.begin() + axis + 1, shape.end());
    return reshape(index_select(x, axis, reshape(by, {by.numel()})), result);
  }
  const int64_t* behind = shape.begin() + axis + by.rank();
  if (!std::equal(by.shape().begin(), by.shape().end(), shape.begin() + axis, behind)) {
    throw ShapeError("at", "mask " + describe(by) + " from axis " + std::to_string(axis) + " of " +
                               describe(x) + "; expected one of the shape of those axes");
  }
  result.push_back(by.numel());
  add(behind, shape.end());
  return index_select(reshape(x, result), axis, true_places(by));
}

}  // namespace

Tensor at(const Tensor& x, std::span<const At> entries) {
  check_defined("at", x);
  const int rest = check_entries(x, entries);
  std::vector<Range> ranges;
  std::vector<bool> dropped;    // of each axis, whether its entry is a number
  std::vector<int> new_before;  // axes of x before which a new one stands
  int tensor_axis = -1;
  const Tensor* by = nullptr;
  for (const At& entry : entries) {
    const int axis = static_cast<int>(ranges.size());
    if (entry.kind() == At::Kind::number) {
      ranges.push_back(range_of(entry.number(), x, axis));
    } else if (entry.kind() == At::Kind::range) {
      ranges.push_back(entry.range());
    } else if (entry.kind() == At::Kind::new_axis) {
      new_before.push_back(axis);
    } else {
      if (entry.kind() == At::Kind::tensor) {
        by = &entry.tensor();
        tensor_axis = axis;
      }
      const int whole = by == &entry.tensor() ? axes_of(entry) : rest;
      ranges.resize(ranges.size() + static_cast<size_t>(whole));
    }
    dropped.resize(ranges.size(), false);
    if (entry.kind() == At::Kind::number) dropped.back() = true;
  }
  dropped.resize(static_cast<size_t>(x.rank()), false);

  const bool whole = std::all_of(ranges.begin(), ranges.end(), [](const Range& range) {
    return range.start == 0 && range.stop == kEnd && range.step == 1;
  });
  const Tensor part = whole ? x : slice(x, ranges);
  // The axes that stay, in order, with the new ones; where the tensor's axis has gone to.
  Shape shape;
  int picked = -1;
  size_t next_new = 0;
  for (int axis = 0; axis <= x.rank(); ++axis) {
    for (; next_new < new_before.size() && new_before[next_new] == axis; ++next_new) {
      shape.push_back(1);
    }
    if (axis == tensor_axis) picked = shape.rank();
    if (axis < x.rank() && !dropped[static_cast<size_t>(axis)]) shape.push_back(part.shape()[axis]);
  }
  const Tensor view = reshape(part, shape);
  return by ? pick(view, picked, *by) : view;
}

}  // namespace espalier
