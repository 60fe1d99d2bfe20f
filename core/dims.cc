#include "core/dims.h"

#include <limits>

#include "core/error.h"

namespace espalier {
namespace {

void check_rank(size_t rank) {
  if (rank > static_cast<size_t>(kMaxRank)) {
    throw ShapeError("shape",
                     std::to_string(rank) + " axes; at most " + std::to_string(kMaxRank) + " are supported");
  }
}

}  // namespace

Dims::Dims(std::span<const int64_t> values) {
  check_rank(values.size());
  std::copy(values.begin(), values.end(), values_.begin());
  rank_ = static_cast<int>(values.size());
}

Dims Dims::filled(int rank, int64_t value) {
  check_rank(static_cast<size_t>(rank));
  Dims dims;
  dims.rank_ = rank;
  std::fill(dims.begin(), dims.end(), value);
  return dims;
}

void Dims::push_back(int64_t value) {
  check_rank(static_cast<size_t>(rank_) + 1);
  values_[static_cast<size_t>(rank_++)] = value;
}

void Dims::insert(int at, int64_t value) {
  push_back(value);
  std::rotate(begin() + at, end() - 1, end());
}

void Dims::erase(int at) noexcept {
  std::copy(begin() + at + 1, end(), begin() + at);
  --rank_;
}

std::string to_string(const Dims& dims) {
  std::string text = "[";
  for (int i = 0; i < dims.rank(); ++i) {
    if (i > 0) text += ", ";
    text += std::to_string(dims[i]);
  }
  return text + "]";
}

int64_t checked_count(const Shape& shape, std::string_view where) {
  constexpr int64_t kLimit = std::numeric_limits<int64_t>::max() / 16;
  int64_t n = 1;
  bool overflow = false, zero = false;
  for (int64_t size : shape) {
    if (size < 0) throw ShapeError(where, "negative size in shape " + to_string(shape));
    zero |= size == 0;
    overflow |= __builtin_mul_overflow(n, size, &n) || n > kLimit;
  }
  if (zero) return 0;
  if (overflow)
    throw ShapeError(where, "shape " + to_string(shape) + " has more elements than 64 bits can address");
  return n;
}

namespace {

/// a b, wrapped around where it does not fit: shapes too large are refused (checked_count) after their
/// strides are made.
int64_t wrapped_product(int64_t a, int64_t b) noexcept {
  int64_t product = 0;
  static_cast<void>(__builtin_mul_overflow(a, b, &product));
  return product;
}

}  // namespace

Strides contiguous_strides(const Shape& shape) noexcept {
  Strides strides = shape;
  int64_t stride = 1;
  for (int i = shape.rank() - 1; i >= 0; --i) {
    strides[i] = stride;
    stride = wrapped_product(stride, std::max<int64_t>(shape[i], 1));
  }
  return strides;
}

Strides channels_last_strides(const Shape& shape) noexcept {
  const int64_t c = std::max<int64_t>(shape[1], 1), w = std::max<int64_t>(shape[3], 1);
  const int64_t row = wrapped_product(w, c);
  return {wrapped_product(std::max<int64_t>(shape[2], 1), row), 1, row, c};
}

Strides strides_nested_like(const Shape& shape, const Shape& model, const Strides& strides) noexcept {
  const int rank = shape.rank();
  // From the outermost axis inwards. An axis of size 1 goes inside those of the same stride: that is where
  // one that could have more elements would be.
  Dims order;
  for (int i = 0; i < rank; ++i) {
    if (strides[i] == 0 && model[i] > 1) return contiguous_strides(shape);
    int at = i;
    const auto outside = [&](int64_t axis) {
      const int other = static_cast<int>(axis);
      if (strides[other] != strides[i]) return strides[other] > strides[i];
      return model[other] != 1 || model[i] == 1;
    };
    while (at > 0 && !outside(order[at - 1])) --at;
    order.insert(at, i);
  }
  Strides result = shape;
  int64_t stride = 1;
  for (int at = rank - 1; at >= 0; --at) {
    const int axis = static_cast<int>(order[at]);
    result[axis] = stride;
    stride = wrapped_product(stride, std::max<int64_t>(shape[axis], 1));
  }
  return result;
}

bool is_contiguous(const Shape& shape, const Strides& strides) noexcept {
  int64_t expected = 1;
  for (int i = shape.rank() - 1; i >= 0; --i) {
    if (shape[i] != 1 && strides[i] != expected) return count(shape) == 0;
    expected *= shape[i];
  }
  return true;
}

bool is_dense(const Shape& shape, const Strides& strides) noexcept {
  if (is_contiguous(shape, strides)) return true;
  // Walks from the innermost axis outwards: each next axis must start where the block so far ends.
  int64_t block = 1;
  int left =
      static_cast<int>(std::count_if(shape.begin(), shape.end(), [](int64_t size) { return size != 1; }));
  for (; left > 0; --left) {
    int axis = 0;
    while (axis < shape.rank() && (shape[axis] == 1 || strides[axis] != block)) ++axis;
    if (axis == shape.rank()) return false;
    block *= shape[axis];
  }
  return true;
}

int normalize_axis(int64_t axis, int rank, std::string_view where) {
  if (axis < -rank || axis >= rank) {
    throw ShapeError(where, "axis " + std::to_string(axis) + " is outside a tensor of " +
                                std::to_string(rank) + " axes; expected -" + std::to_string(rank) + " to " +
                                std::to_string(rank - 1));
  }
  return static_cast<int>(axis < 0 ? axis + rank : axis);
}

Shape broadcast_shapes(const Shape& a, const Shape& b, std::string_view where) {
  if (a == b) return a;
  const Shape& longer = a.rank() >= b.rank() ? a : b;
  const Shape& shorter = a.rank() >= b.rank() ? b : a;
  Shape result = longer;
  const int lead = longer.rank() - shorter.rank();
  for (int i = 0; i < shorter.rank(); ++i) {
    int64_t& size = result[lead + i];
    if (size == shorter[i] || shorter[i] == 1) continue;
    if (size != 1) {
      throw ShapeError(where, "shapes " + to_string(a) + " and " + to_string(b) + " do not broadcast: axis " +
                                  std::to_string(lead + i - longer.rank()) + " is " + std::to_string(size) +
                                  " and " + std::to_string(shorter[i]));
    }
    size = shorter[i];
  }
  return result;
}

Strides broadcast_strides(const Shape& shape, const Strides& strides, const Shape& target) noexcept {
  if (shape == target) return strides;
  Strides result = Strides::filled(target.rank(), 0);
  const int lead = target.rank() - shape.rank();
  for (int i = 0; i < shape.rank(); ++i) {
    if (shape[i] == target[lead + i]) result[lead + i] = strides[i];
  }
  return result;
}

}  // namespace espalier
