#pragma once

#include "core/door.h"
#include "ops/elementwise.h"

namespace espalier {

/// The natural logarithm, element by element, of floating types: -infinity for 0, NaN for negative numbers.
class ESPALIER_API Log final : public OperationOf<Log, Elementwise<ElementTypes::floating>> {
 public:
  static constexpr std::string_view kName = "log";
  static KernelSlot slot;

  AutocastRule autocast_rule() const override { return AutocastRule::widen; }
  Tensors backward(const BackwardContext& context) const override;
};

/// ln(1 + x), element by element, of floating types: precise where x is near 0. -infinity for -1, NaN below.
class ESPALIER_API Log1p final : public OperationOf<Log1p, Elementwise<ElementTypes::floating>> {
 public:
  static constexpr std::string_view kName = "log1p";
  static KernelSlot slot;

  AutocastRule autocast_rule() const override { return AutocastRule::widen; }
  Tensors backward(const BackwardContext& context) const override;
};

/// The binary logarithm, element by element, of floating types: exact for powers of two; -infinity for 0, NaN
/// for negative numbers.
class ESPALIER_API Log2 final : public OperationOf<Log2, Elementwise<ElementTypes::floating>> {
 public:
  static constexpr std::string_view kName = "log2";
  static KernelSlot slot;

  AutocastRule autocast_rule() const override { return AutocastRule::widen; }
  Tensors backward(const BackwardContext& context) const override;
};

/// The decimal logarithm, element by element, of floating types: -infinity for 0, NaN for negative numbers.
class ESPALIER_API Log10 final : public OperationOf<Log10, Elementwise<ElementTypes::floating>> {
 public:
  static constexpr std::string_view kName = "log10";
  static KernelSlot slot;

  AutocastRule autocast_rule() const override { return AutocastRule::widen; }
  Tensors backward(const BackwardContext& context) const override;
};

/// ln x; integers and bools as f32.
ESPALIER_API Tensor log(const Tensor& x);
/// ln(1 + x), likewise.
ESPALIER_API Tensor log1p(const Tensor& x);
/// The logarithm to base 2, likewise.
ESPALIER_API Tensor log2(const Tensor& x);
/// The logarithm to base 10, likewise.
ESPALIER_API Tensor log10(const Tensor& x);

}  // namespace espalier
