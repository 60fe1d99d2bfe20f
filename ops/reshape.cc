#include "ops/reshape.h"

#include <algorithm>
#include <optional>

#include "ops/copy.h"

namespace espalier {
namespace {

/// `shape` with its -1 replaced.
Shape resolved(const Shape& shape, const Tensor& input) {
  Shape result = shape;
  int64_t known = 1;
  int unknown = -1;
  bool valid = true;
  for (int i = 0; i < shape.rank(); ++i) {
    if (shape[i] == -1 && unknown < 0) {
      unknown = i;
    } else {
      valid = valid && shape[i] >= 0 && !__builtin_mul_overflow(known, shape[i], &known);
    }
  }
  if (valid && unknown >= 0) {
    valid = known > 0 && input.numel() % known == 0;
    if (valid) result[unknown] = input.numel() / known;
  } else {
    valid = valid && known == input.numel();
  }
  if (!valid) {
    throw ShapeError(Reshape::kName, describe(input) + ", " + std::to_string(input.numel()) +
                                         " elements, does not fit shape " + to_string(shape));
  }
  return result;
}

/// Strides under which a view shows the elements in row-major order, if there are any.
std::optional<Strides> view_strides(const Tensor& input, const Shape& shape) {
  if (input.is_contiguous()) return contiguous_strides(shape);
  Strides strides = Strides::filled(shape.rank(), 1);
  int to = shape.rank() - 1;
  int from = input.rank() - 1;
  while (from >= 0) {
    // One run of the input: axes that are walked as a single one.
    int64_t run = input.shape()[from], step = input.strides()[from];
    while (from > 0 &&
           (input.shape()[from - 1] == 1 || input.strides()[from - 1] == run * step || run == 1)) {
      --from;
      if (run == 1) step = input.strides()[from];
      run *= input.shape()[from];
    }
    --from;
    // It must be the product of some of the new axes.
    int64_t covered = 1;
    while (to >= 0 && covered < run) {
      strides[to] = covered * step;
      covered *= shape[to--];
    }
    if (covered != run) return std::nullopt;
  }
  for (; to >= 0; --to) strides[to] = 1;  // what is left are axes of size 1
  return strides;
}

}  // namespace

void Reshape::infer(Inputs inputs, OutputSpecs& outputs) const {
  const Tensor& input = inputs[0];
  const Shape shape = resolved(shape_, input);
  const std::optional<Strides> strides = view_strides(input, shape);
  if (!strides) {
    throw ShapeError(kName, describe(input) + " with strides " + to_string(input.strides()) +
                                " has no view of shape " + to_string(shape) + "; make it contiguous first");
  }
  outputs.push_back(OutputSpec::view(0, input, shape, *strides, input.offset()));
}

Tensors Reshape::backward(const BackwardContext& context) const {
  return {reshape(context.gradient(0), context.input_shape(0))};
}

Tensor reshape(const Tensor& input, const Shape& shape) {
  if (input.shape() == shape) return input;
  const bool viewable = view_strides(input, resolved(shape, input)).has_value();
  return apply_one(Reshape(shape), viewable ? input : contiguous(input));
}

Tensor flatten(const Tensor& input, int64_t first, int64_t last) {
  if (input.rank() == 0) return reshape(input, {1});
  const int begin = normalize_axis(first, input.rank(), "flatten"),
            end = normalize_axis(last, input.rank(), "flatten");
  if (begin > end)
    throw ShapeError(
        "flatten", "first axis " + std::to_string(first) + " lies behind the last, " + std::to_string(last));
  Shape shape;
  for (int i = 0; i < input.rank(); ++i) {
    if (i > begin && i <= end)
      shape[shape.rank() - 1] *= input.shape()[i];
    else
      shape.push_back(input.shape()[i]);
  }
  return reshape(input, shape);
}

Tensor unflatten(const Tensor& input, int64_t axis, const Shape& sizes) {
  check_defined("unflatten", input);
  const int at = normalize_axis(axis, input.rank(), "unflatten");
  const int64_t length = input.shape()[at];
  Shape parts = sizes;
  int64_t known = 1;
  int unknown = -1;
  bool fits = !sizes.empty();
  for (int i = 0; i < sizes.rank(); ++i) {
    if (sizes[i] == -1 && unknown < 0)
      unknown = i;
    else
      fits = fits && sizes[i] >= 0 && !__builtin_mul_overflow(known, sizes[i], &known);
  }
  if (fits && unknown >= 0) {
    fits = known > 0 && length % known == 0;
    if (fits) parts[unknown] = length / known;
  } else {
    fits = fits && known == length;
  }
  if (!fits) {
    throw ShapeError("unflatten", "axis " + std::to_string(axis) + " of " + describe(input) +
                                      " cannot be taken apart into " + to_string(sizes));
  }
  Shape shape = input.shape();
  shape.erase(at);
  for (int i = 0; i < parts.rank(); ++i) shape.insert(at + i, parts[i]);
  return reshape(input, shape);
}

Tensor squeeze(const Tensor& input, int64_t axis) {
  check_defined("squeeze", input);
  Shape shape = input.shape();
  const int at = normalize_axis(axis, input.rank(), "squeeze");
  if (shape[at] != 1)
    throw ShapeError("squeeze",
                     "axis " + std::to_string(axis) + " of " + describe(input) + " is not of size 1");
  shape.erase(at);
  return reshape(input, shape);
}

Tensor unsqueeze(const Tensor& input, int64_t axis) {
  check_defined("unsqueeze", input);
  Shape shape = input.shape();
  shape.insert(normalize_axis(axis, input.rank() + 1, "unsqueeze"), 1);
  return reshape(input, shape);
}

Tensor alias(const Tensor& input) {
  return apply_one(Reshape(input.shape()), input);
}

}  // namespace espalier
