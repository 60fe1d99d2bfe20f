#pragma once

#include <concepts>
#include <cstdint>

#include "core/dtype.h"

namespace espalier {

/// A plain number given where a tensor could stand. In promotion it weighs less than any tensor: only its
/// kind (bool, integer, floating) counts.
class Scalar {
 public:
  Scalar(bool value)
      : integer_(value), floating_(value), dtype_(Dtype::boolean) {}  // NOLINT(google-explicit-constructor)
  template <std::integral T>
  Scalar(T value)  // NOLINT(google-explicit-constructor)
      : integer_(static_cast<int64_t>(value)), floating_(static_cast<double>(value)), dtype_(Dtype::i64) {}
  template <std::floating_point T>
  Scalar(T value)
      : floating_(static_cast<double>(value)), dtype_(Dtype::f32) {}  // NOLINT(google-explicit-constructor)

  /// bool, i64 or f32: the type it would have on its own.
  Dtype dtype() const noexcept { return dtype_; }
  bool is_floating() const noexcept { return dtype_ == Dtype::f32; }
  double to_double() const noexcept { return floating_; }
  /// The integer; 0 for a floating number.
  int64_t to_int() const noexcept { return integer_; }

 private:
  int64_t integer_ = 0;
  double floating_;
  Dtype dtype_;
};

}  // namespace espalier
