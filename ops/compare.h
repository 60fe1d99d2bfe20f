#pragma once

#include "core/door.h"
#include "core/scalar.h"
#include "ops/elementwise.h"

namespace espalier {

// Comparisons, element by element, with broadcasting, of any type; they put out bool. NaN is equal to
// nothing, not even to itself, and neither less nor greater than anything; -0 equals 0; false is less than
// true. Operands of several types are compared in the type that they promote to, as in add(): i64 with f32 in
// f32, where large integers round.

/// Whether a == b.
class ESPALIER_API Equal final : public OperationOf<Equal, ElementwisePredicate<>> {
 public:
  static constexpr std::string_view kName = "equal";
  static KernelSlot slot;
};

/// Whether a != b.
class ESPALIER_API NotEqual final : public OperationOf<NotEqual, ElementwisePredicate<>> {
 public:
  static constexpr std::string_view kName = "not_equal";
  static KernelSlot slot;
};

/// Whether a < b.
class ESPALIER_API Less final : public OperationOf<Less, ElementwisePredicate<>> {
 public:
  static constexpr std::string_view kName = "less";
  static KernelSlot slot;
};

/// Whether a <= b.
class ESPALIER_API LessEqual final : public OperationOf<LessEqual, ElementwisePredicate<>> {
 public:
  static constexpr std::string_view kName = "less_equal";
  static KernelSlot slot;
};

/// a == b, element by element. There is no operator for it, nor for !=: two tensors have no single answer,
/// which those who compare containers would expect. Throws ShapeError where the shapes do not agree,
/// TypeError where the types do not, ValueError where a number is outside the range of the type in which it
/// would be compared (300 with u8).
ESPALIER_API Tensor equal(const Tensor& a, const Tensor& b);
ESPALIER_API Tensor equal(const Tensor& a, Scalar b);

/// a != b, element by element. Shapes, types and errors of all comparisons are those of equal().
ESPALIER_API Tensor not_equal(const Tensor& a, const Tensor& b);
ESPALIER_API Tensor not_equal(const Tensor& a, Scalar b);

/// a < b, element by element.
ESPALIER_API Tensor less(const Tensor& a, const Tensor& b);
ESPALIER_API Tensor less(const Tensor& a, Scalar b);
ESPALIER_API Tensor less(Scalar a, const Tensor& b);

/// a <= b, element by element.
ESPALIER_API Tensor less_equal(const Tensor& a, const Tensor& b);
ESPALIER_API Tensor less_equal(const Tensor& a, Scalar b);
ESPALIER_API Tensor less_equal(Scalar a, const Tensor& b);

/// a > b, element by element: less(b, a), which is the name that errors and graphs say.
ESPALIER_API Tensor greater(const Tensor& a, const Tensor& b);
ESPALIER_API Tensor greater(const Tensor& a, Scalar b);

/// a >= b, element by element: less_equal(b, a).
ESPALIER_API Tensor greater_equal(const Tensor& a, const Tensor& b);
ESPALIER_API Tensor greater_equal(const Tensor& a, Scalar b);

inline Tensor operator<(const Tensor& a, const Tensor& b) {
  return less(a, b);
}
inline Tensor operator<(const Tensor& a, Scalar b) {
  return less(a, b);
}
inline Tensor operator<(Scalar a, const Tensor& b) {
  return less(a, b);
}
inline Tensor operator<=(const Tensor& a, const Tensor& b) {
  return less_equal(a, b);
}
inline Tensor operator<=(const Tensor& a, Scalar b) {
  return less_equal(a, b);
}
inline Tensor operator<=(Scalar a, const Tensor& b) {
  return less_equal(a, b);
}
inline Tensor operator>(const Tensor& a, const Tensor& b) {
  return less(b, a);
}
inline Tensor operator>(const Tensor& a, Scalar b) {
  return less(b, a);
}
inline Tensor operator>(Scalar a, const Tensor& b) {
  return less(b, a);
}
inline Tensor operator>=(const Tensor& a, const Tensor& b) {
  return less_equal(b, a);
}
inline Tensor operator>=(const Tensor& a, Scalar b) {
  return less_equal(b, a);
}
inline Tensor operator>=(Scalar a, const Tensor& b) {
  return less_equal(b, a);
}

}  // namespace espalier
