#include "core/create.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <utility>

#include "core/door.h"
#include "core/error.h"
#include "core/host_copy_internal.h"

namespace espalier {
namespace {

[[noreturn]] void refuse(const char* where, double value, Dtype dtype) {
  throw ValueError(where,
                   std::to_string(value) + " is outside the range of " + std::string(to_string(dtype)));
}

/// Throws unless `value` becomes a T. The elements between two ends that fit, fit.
template <class T>
void check_fits(const char* where, double value, Dtype dtype) {
  if constexpr (std::is_integral_v<T> && !std::is_same_v<T, bool>) {
    // 2^digits and -2^digits are exact in f64, as the largest number need not be.
    const double above = std::ldexp(1.0, std::numeric_limits<T>::digits);
    const bool fits = value < above && (std::is_signed_v<T> ? value >= -above : value > -1.0);
    if (!fits) refuse(where, value, dtype);
  }
}
template <class T>
void check_fits(const char* where, int64_t value, Dtype dtype) {
  if constexpr (std::is_integral_v<T> && !std::is_same_v<T, bool>) {
    if (!std::in_range<T>(value)) refuse(where, static_cast<double>(value), dtype);
  }
}

template <class T, class Number>
T converted(Number value) {
  if constexpr (std::is_same_v<T, bool>)
    return value != 0;
  else if constexpr (std::is_arithmetic_v<T>)
    return static_cast<T>(value);
  else
    return T(static_cast<float>(value));
}

void check_finite(const char* where, double value) {
  if (!std::isfinite(value)) throw ValueError(where, std::to_string(value) + " is not a finite number");
}

/// One axis of `size` elements f(0), f(1), ..., f64 or i64.
template <class F>
Tensor tabulated(const char* where, int64_t size, Dtype dtype, Device device, const F& f) {
  if (device_of_values(device) == kMeta) return empty({size}, dtype, device);
  const Tensor made = empty({size}, dtype);
  visit_dtype(dtype, [&](auto tag) {
    using T = typename decltype(tag)::type;
    if (size > 0) {
      check_fits<T>(where, f(0), dtype);
      check_fits<T>(where, f(size - 1), dtype);
    }
    auto* to = static_cast<T*>(made.raw_data());
    for (int64_t i = 0; i < size; ++i) to[i] = converted<T>(f(i));
  });
  return moved_from_host(made, device);
}

std::string text(Scalar value) {
  return value.is_floating() ? std::to_string(value.to_double()) : std::to_string(value.to_int());
}

Tensor arange_integers(int64_t start, int64_t stop, int64_t step, Dtype dtype, Device device) {
  // The distance needs 64 bits without a sign; so does the step's size.
  const uint64_t distance = step > 0 ? static_cast<uint64_t>(stop) - static_cast<uint64_t>(start)
                                     : static_cast<uint64_t>(start) - static_cast<uint64_t>(stop);
  const uint64_t stride = step > 0 ? static_cast<uint64_t>(step) : 0 - static_cast<uint64_t>(step);
  const uint64_t count = distance / stride + (distance % stride != 0);
  if (!std::in_range<int64_t>(count)) throw ShapeError("arange", "more elements than 63 bits can say");
  const auto size = static_cast<int64_t>(count);
  checked_count({size}, "arange");
  return tabulated("arange", size, dtype, device, [=](int64_t i) {
    // The elements fit, their distance from the start need not: it wraps, and back.
    return static_cast<int64_t>(static_cast<uint64_t>(start) +
                                static_cast<uint64_t>(i) * static_cast<uint64_t>(step));
  });
}

}  // namespace

Tensor arange(Scalar start, Scalar stop, Scalar step, std::optional<Dtype> dtype, Device device) {
  for (const Scalar value : {start, stop, step}) check_finite("arange", value.to_double());
  const double first = start.to_double(), end = stop.to_double(), by = step.to_double();
  if (by == 0) throw ValueError("arange", "the step is 0");
  if (by > 0 ? first > end : first < end) {
    throw ValueError("arange",
                     "a step of " + text(step) + " does not lead from " + text(start) + " to " + text(stop));
  }
  if (!start.is_floating() && !stop.is_floating() && !step.is_floating()) {
    return arange_integers(start.to_int(), stop.to_int(), step.to_int(), dtype.value_or(Dtype::i64), device);
  }
  const double count = std::ceil((end - first) / by);
  if (!(count < 0x1p63)) throw ShapeError("arange", "more elements than 63 bits can say");
  const auto size = static_cast<int64_t>(count);
  checked_count({size}, "arange");
  return tabulated("arange", size, dtype.value_or(Dtype::f32), device,
                   [=](int64_t i) { return first + static_cast<double>(i) * by; });
}

Tensor linspace(double start, double stop, int64_t count, Dtype dtype, Device device) {
  check_finite("linspace", start);
  check_finite("linspace", stop);
  if (count < 0) throw ValueError("linspace", std::to_string(count) + " numbers; expected 0 or more");
  checked_count({count}, "linspace");
  // Halves first: the distance of two finite numbers need not be finite.
  const double steps = static_cast<double>(count - 1);
  const double step = count > 1 ? 2 * (stop / 2 / steps - start / 2 / steps) : 0;
  return tabulated("linspace", count, dtype, device, [=](int64_t i) {
    return i < (count + 1) / 2 ? start + step * static_cast<double>(i)
                               : stop - step * static_cast<double>(count - 1 - i);
  });
}

Tensor eye(int64_t rows, std::optional<int64_t> columns, Dtype dtype, Device device) {
  const Shape shape{rows, columns.value_or(rows)};
  checked_count(shape, "eye");
  if (device_of_values(device) == kMeta) return empty(shape, dtype, device);
  const Tensor made = zeros(shape, dtype);
  visit_dtype(dtype, [&](auto tag) {
    using T = typename decltype(tag)::type;
    auto* to = static_cast<T*>(made.raw_data());
    for (int64_t i = 0; i < std::min(shape[0], shape[1]); ++i) to[i * shape[1] + i] = converted<T>(1);
  });
  return moved_from_host(made, device);
}

Tensor empty_like(const Tensor& model, std::optional<Dtype> dtype) {
  return empty(model.shape(), dtype.value_or(model.dtype()), model.device());
}
Tensor full_like(const Tensor& model, Scalar value, std::optional<Dtype> dtype) {
  return full(model.shape(), value, dtype.value_or(model.dtype()), model.device());
}
Tensor zeros_like(const Tensor& model, std::optional<Dtype> dtype) {
  return full_like(model, 0, dtype);
}
Tensor ones_like(const Tensor& model, std::optional<Dtype> dtype) {
  return full_like(model, 1, dtype);
}

}  // namespace espalier
