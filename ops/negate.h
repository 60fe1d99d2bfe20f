#pragma once

#include "core/door.h"
#include "ops/elementwise.h"

namespace espalier {

/// -x, element by element. Any type but bool; integers wrap.
class ESPALIER_API Negate final : public OperationOf<Negate, Elementwise<ElementTypes::numbers>> {
 public:
  static constexpr std::string_view kName = "negate";
  static KernelSlot slot;

  Tensors backward(const BackwardContext& context) const override;
  SavedForBackward saved_for_backward() const override { return {.inputs = 0, .outputs = 0}; }
};

/// -x. Throws TypeError for bool.
ESPALIER_API Tensor negate(const Tensor& x);
inline Tensor operator-(const Tensor& x) {
  return negate(x);
}

}  // namespace espalier
