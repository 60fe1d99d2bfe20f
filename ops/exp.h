#pragma once

#include "core/door.h"
#include "ops/elementwise.h"

namespace espalier {

/// e^x, element by element, of floating types.
class ESPALIER_API Exp final : public OperationOf<Exp, Elementwise<ElementTypes::floating>> {
 public:
  static constexpr std::string_view kName = "exp";
  static KernelSlot slot;

  Tensors backward(const BackwardContext& context) const override;
  SavedForBackward saved_for_backward() const override { return {.inputs = 0, .outputs = 1}; }
};

/// e^x; integers and bools as f32.
ESPALIER_API Tensor exp(const Tensor& x);

}  // namespace espalier
