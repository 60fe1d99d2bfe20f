// ONNX's operators on shapes, and those that make elements of them.

#include <algorithm>

#include "core/create.h"
#include "core/error.h"
#include "ops/expand.h"
#include "ops/permute.h"
#include "ops/reshape.h"
#include "runtime/onnx_reading_internal.h"

namespace espalier::runtime {
namespace {

template <class T>
Tensor list_of(const std::vector<T>& values) {
  return from_values(values, {static_cast<int64_t>(values.size())});
}

/// The axes that an input names (an attribute, in no version that is read), each once.
std::vector<int> axes_of(OnnxReading& r, size_t input, int rank) {
  std::vector<int> axes;
  for (const int64_t axis : r.integers(input)) axes.push_back(r.axis(axis, rank));
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
  const int first = axis == x.rank() ? x.rank() : r.axis(axis, x.rank());
  const auto sizes = std::span<const int64_t>(x.shape());
  const Shape outer(sizes.first(static_cast<size_t>(first))),
      inner(sizes.subspan(static_cast<size_t>(first)));
  return {reshape(x, {checked_count(outer, r.node().type), checked_count(inner, r.node().type)})};
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

}  // namespace

const OnnxReaders& shape_onnx_readers() {
  static const OnnxReaders all = {
      {"Constant", read_constant},   {"ConstantOfShape", read_constant_of_shape},
      {"Dropout", read_dropout},     {"Expand", read_expand},
      {"Flatten", read_flatten},     {"Identity", read_identity},
      {"Range", read_range},         {"Reshape", read_reshape},
      {"Shape", read_shape},         {"Size", read_size},
      {"Squeeze", read_squeeze},     {"Transpose", read_transpose},
      {"Unsqueeze", read_unsqueeze},
  };
  return all;
}

}  // namespace espalier::runtime
