#pragma once

#include "core/door.h"
#include "ops/elementwise.h"

namespace espalier {

/// x / (1 + |x|), element by element, of floating types: Turian, Bergstra, Bengio, "Quadratic features and
/// deep architectures for chunking" (2009).
class ESPALIER_API Softsign final : public OperationOf<Softsign, Elementwise<ElementTypes::floating>> {
 public:
  static constexpr std::string_view kName = "softsign";
  static KernelSlot slot;

  Tensors backward(const BackwardContext& context) const override;
  SavedForBackward saved_for_backward() const override { return {.inputs = 0, .outputs = 1}; }
};

/// The softsign of x; integers and bools as f32.
ESPALIER_API Tensor softsign(const Tensor& x);

}  // namespace espalier
