#pragma once

#include <optional>

#include "core/tensor.h"

namespace espalier {

/// The numbers start, start + step, ... before `stop`: ceil((stop - start) / step) of them, as in PyTorch.
/// The type is i64 where all three are integers, else f32, unless said otherwise; each element is computed in
/// f64 (i64 for integers) and rounded, for an integer type towards zero. Throws ValueError for a step of 0 or
/// away from `stop`, numbers that are not finite, or elements that the type cannot hold; ShapeError for too
/// many.
ESPALIER_API Tensor arange(Scalar start, Scalar stop, Scalar step = 1, std::optional<Dtype> dtype = {},
                           Device device = kCpu);
/// The numbers 0, 1, ... before `stop`.
inline Tensor arange(Scalar stop, std::optional<Dtype> dtype = {}, Device device = kCpu) {
  return arange(stop.is_floating() ? Scalar(0.0) : Scalar(0), stop, 1, dtype, device);
}

/// `count` numbers from `start` to `stop`, both included, at equal distances; computed in f64 from the nearer
/// end, so that the ends are exact, and rounded, for an integer type towards zero. Throws ValueError for a
/// negative count, numbers that are not finite, or elements that the type cannot hold.
ESPALIER_API Tensor linspace(double start, double stop, int64_t count, Dtype dtype = Dtype::f32,
                             Device device = kCpu);

/// Ones on the main diagonal of [rows, columns] zeros; as many columns as rows unless said otherwise. Throws
/// ShapeError for sizes that are negative or too large.
ESPALIER_API Tensor eye(int64_t rows, std::optional<int64_t> columns = {}, Dtype dtype = Dtype::f32,
                        Device device = kCpu);

/// Tensors of the shape, type and device of `model`, row-major; another type where it is given. full_like
/// throws ValueError where the type cannot hold the value.
ESPALIER_API Tensor empty_like(const Tensor& model, std::optional<Dtype> dtype = {});
ESPALIER_API Tensor full_like(const Tensor& model, Scalar value, std::optional<Dtype> dtype = {});
ESPALIER_API Tensor zeros_like(const Tensor& model, std::optional<Dtype> dtype = {});
ESPALIER_API Tensor ones_like(const Tensor& model, std::optional<Dtype> dtype = {});

}  // namespace espalier
