#pragma once

#include "core/door.h"
#include "ops/elementwise.h"

namespace espalier {

/// The error function, 2 / sqrt(pi) times the integral of e^(-t^2) from 0 to x, element by element, of
/// floating types.
class ESPALIER_API Erf final : public OperationOf<Erf, Elementwise<ElementTypes::floating>> {
 public:
  static constexpr std::string_view kName = "erf";
  static KernelSlot slot;

  Tensors backward(const BackwardContext& context) const override;
};

/// erf x; integers and bools as f32.
ESPALIER_API Tensor erf(const Tensor& x);

}  // namespace espalier
