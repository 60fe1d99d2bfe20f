#pragma once

#include "core/door.h"
#include "ops/elementwise.h"

namespace espalier {

/// The natural logarithm, element by element, of floating types: -infinity for 0, NaN for negative numbers.
class ESPALIER_API Log final : public OperationOf<Log, Elementwise<ElementTypes::floating>> {
 public:
  static constexpr std::string_view kName = "log";
  static KernelSlot slot;

  Tensors backward(const BackwardContext& context) const override;
};

/// ln x; integers and bools as f32.
ESPALIER_API Tensor log(const Tensor& x);

}  // namespace espalier
