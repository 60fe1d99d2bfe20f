#pragma once

#include "core/door.h"
#include "ops/elementwise.h"

namespace espalier {

/// Whether both of two bools are true, element by element, with broadcasting.
class ESPALIER_API LogicalAnd final
    : public OperationOf<LogicalAnd, ElementwisePredicate<ElementTypes::boolean>> {
 public:
  static constexpr std::string_view kName = "logical_and";
  static KernelSlot slot;
};

/// Whether at least one of two bools is true.
class ESPALIER_API LogicalOr final
    : public OperationOf<LogicalOr, ElementwisePredicate<ElementTypes::boolean>> {
 public:
  static constexpr std::string_view kName = "logical_or";
  static KernelSlot slot;
};

/// Whether exactly one of two bools is true.
class ESPALIER_API LogicalXor final
    : public OperationOf<LogicalXor, ElementwisePredicate<ElementTypes::boolean>> {
 public:
  static constexpr std::string_view kName = "logical_xor";
  static KernelSlot slot;
};

/// Whether a bool is false.
class ESPALIER_API LogicalNot final
    : public OperationOf<LogicalNot, ElementwisePredicate<ElementTypes::boolean>> {
 public:
  static constexpr std::string_view kName = "logical_not";
  static KernelSlot slot;
};

/// Logic on the elements of tensors of any types, each converted to bool on its own: true is what is not
/// zero, NaN included. Throws ShapeError where the shapes do not broadcast to one.
ESPALIER_API Tensor logical_and(const Tensor& a, const Tensor& b);
ESPALIER_API Tensor logical_or(const Tensor& a, const Tensor& b);
ESPALIER_API Tensor logical_xor(const Tensor& a, const Tensor& b);
ESPALIER_API Tensor logical_not(const Tensor& x);

}  // namespace espalier
