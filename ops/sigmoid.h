#pragma once

#include "core/door.h"
#include "ops/elementwise.h"

namespace espalier {

/// The logistic function 1 / (1 + e^-x), element by element, of floating types.
class ESPALIER_API Sigmoid final : public OperationOf<Sigmoid, Elementwise<ElementTypes::floating>> {
 public:
  static constexpr std::string_view kName = "sigmoid";
  static KernelSlot slot;

  Tensors backward(const BackwardContext& context) const override;
  SavedForBackward saved_for_backward() const override { return {.inputs = 0, .outputs = 1}; }
};

/// The gradient of sigmoid with respect to x: g y (1 - y). Inputs: g, which came for y, and y.
class ESPALIER_API SigmoidBackward final
    : public OperationOf<SigmoidBackward, Elementwise<ElementTypes::floating>> {
 public:
  static constexpr std::string_view kName = "sigmoid_backward";
  static KernelSlot slot;

  Tensors backward(const BackwardContext& context) const override;
};

/// 1 / (1 + e^-x); integers and bools as f32.
ESPALIER_API Tensor sigmoid(const Tensor& x);

/// The gated linear unit: the first half of x along `axis` times the sigmoid of the second (Dauphin et al.,
/// "Language Modeling with Gated Convolutional Networks", arXiv:1612.08083, 2016). Throws ShapeError where
/// the axis is out of range or its size odd.
ESPALIER_API Tensor glu(const Tensor& x, int64_t axis = -1);

}  // namespace espalier
