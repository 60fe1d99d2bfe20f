#pragma once

// What the norms have in common before their kernels run.

#include <span>
#include <string>
#include <string_view>

#include "core/error.h"
#include "core/operation.h"
#include "ops/reshape.h"

namespace espalier {

/// In which means, deviations and sums are kept: f32 at least.
inline Dtype statistics_type(Dtype dtype) {
  return dtype == Dtype::f64 ? Dtype::f64 : Dtype::f32;
}

/// The axes that are normalised together, the last `axes` ones, and those before them.
inline Shape last_axes(const Shape& shape, int axes) {
  return Shape(std::span<const int64_t>(shape.end() - axes, static_cast<size_t>(axes)));
}
inline Shape leading_axes(const Shape& shape, int axes) {
  return Shape(std::span<const int64_t>(shape.begin(), static_cast<size_t>(shape.rank() - axes)));
}

/// Whether a weight or bias has the shape that it must have, if it is there.
inline bool absent_or_of(const Tensor& parameter, const Shape& shape) {
  return !parameter.defined() || parameter.shape() == shape;
}

/// [C] as it broadcasts against x of so many axes: [C, 1, 1].
inline Tensor along_channels(const Tensor& parameter, int rank) {
  Shape shape = Shape::filled(rank - 1, 1);
  shape[0] = parameter.shape()[0];
  return reshape(parameter, shape);
}

/// Throws, on behalf of `name`, unless x is of 16 bits or more and has channels.
inline void check_channels(std::string_view name, Inputs inputs, const Tensor& x) {
  if (x.dtype() > Dtype::bf16)
    throw TypeError(name, "inputs are " + describe(inputs) + "; expected f64, f32, f16 or bf16");
  if (x.rank() < 2) {
    throw ShapeError(name, "the tensor to normalise has " + std::to_string(x.rank()) +
                               " axes; expected at least 2, N and C (inputs " + describe(inputs) + ")");
  }
}

}  // namespace espalier
