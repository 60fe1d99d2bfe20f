#pragma once

#include "core/door.h"
#include "ops/elementwise.h"

namespace espalier {

/// The sine of angles in radians, element by element, of floating types; NaN for infinities. Right for any
/// number, also 1e30, but fast up to 12,800 in single and 1e6 in double precision.
class ESPALIER_API Sin final : public OperationOf<Sin, Elementwise<ElementTypes::floating>> {
 public:
  static constexpr std::string_view kName = "sin";
  static KernelSlot slot;

  Tensors backward(const BackwardContext& context) const override;
};

/// The cosine, likewise.
class ESPALIER_API Cos final : public OperationOf<Cos, Elementwise<ElementTypes::floating>> {
 public:
  static constexpr std::string_view kName = "cos";
  static KernelSlot slot;

  Tensors backward(const BackwardContext& context) const override;
};

/// The tangent, likewise.
class ESPALIER_API Tan final : public OperationOf<Tan, Elementwise<ElementTypes::floating>> {
 public:
  static constexpr std::string_view kName = "tan";
  static KernelSlot slot;

  Tensors backward(const BackwardContext& context) const override;
  SavedForBackward saved_for_backward() const override { return {.inputs = 0, .outputs = 1}; }
};

/// sin x, of radians; integers and bools as f32.
ESPALIER_API Tensor sin(const Tensor& x);
/// cos x, likewise.
ESPALIER_API Tensor cos(const Tensor& x);
/// tan x, likewise.
ESPALIER_API Tensor tan(const Tensor& x);

}  // namespace espalier
