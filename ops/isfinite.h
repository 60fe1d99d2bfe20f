#pragma once

#include "core/door.h"
#include "ops/elementwise.h"

namespace espalier {

/// Whether an element is neither infinite nor NaN, as bool. Any type; integers and bools are finite.
class ESPALIER_API IsFinite final : public OperationOf<IsFinite, ElementwisePredicate<>> {
 public:
  static constexpr std::string_view kName = "isfinite";
  static KernelSlot slot;
};

/// Whether an element is an infinity, of either sign, as bool. Any type; integers and bools are finite.
class ESPALIER_API IsInf final : public OperationOf<IsInf, ElementwisePredicate<>> {
 public:
  static constexpr std::string_view kName = "isinf";
  static KernelSlot slot;
};

/// Whether an element is NaN, as bool. Any type; integers and bools are finite.
class ESPALIER_API IsNan final : public OperationOf<IsNan, ElementwisePredicate<>> {
 public:
  static constexpr std::string_view kName = "isnan";
  static KernelSlot slot;
};

ESPALIER_API Tensor isfinite(const Tensor& x);
ESPALIER_API Tensor isinf(const Tensor& x);
ESPALIER_API Tensor isnan(const Tensor& x);

}  // namespace espalier
