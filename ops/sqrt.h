#pragma once

#include "core/door.h"
#include "ops/elementwise.h"

namespace espalier {

/// The square root, element by element, of floating types: NaN for negative numbers. The derivative at 0 is
/// infinite.
class ESPALIER_API Sqrt final : public OperationOf<Sqrt, Elementwise<ElementTypes::floating>> {
 public:
  static constexpr std::string_view kName = "sqrt";
  static KernelSlot slot;

  Tensors backward(const BackwardContext& context) const override;
  SavedForBackward saved_for_backward() const override { return {.inputs = 0, .outputs = 1}; }
};

/// The square root of x; integers and bools as f32.
ESPALIER_API Tensor sqrt(const Tensor& x);

}  // namespace espalier
