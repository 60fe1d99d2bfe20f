#pragma once

#include "core/operation.h"

namespace espalier {

/// What losses have in common that are the mean, over all elements, of a function of a prediction and a
/// target of the same shape and type (f64, f32, f16 or bf16): the result has no axes, and is NaN where there
/// are no elements. Shapes do not broadcast: where they differ, something was forgotten.
class ESPALIER_API MeanLoss : public Operation {
 public:
  void infer(Inputs inputs, OutputSpecs& outputs) const override;
  bool decomposable() const override { return true; }
  Cost cost(Inputs inputs, std::span<const OutputSpec> outputs) const override;
};

/// The gradient of such a loss with respect to the predictions. Inputs: the loss's gradient, predictions,
/// targets. Second derivatives are taken of the loss's decomposition.
class ESPALIER_API MeanLossBackward : public Operation {
 public:
  void infer(Inputs inputs, OutputSpecs& outputs) const override;
};

}  // namespace espalier
