#pragma once

#include "core/door.h"
#include "core/scalar.h"
#include "ops/elementwise.h"

namespace espalier {

/// The larger of two elements, with broadcasting; NaN where one of them is NaN. Any type. Two that are equal
/// share the gradient evenly, as in torch.maximum; where one is NaN each gets all of it.
class ESPALIER_API Maximum final : public OperationOf<Maximum, Elementwise<>> {
 public:
  static constexpr std::string_view kName = "maximum";
  static KernelSlot slot;

  Tensors backward(const BackwardContext& context) const override;
};

/// The smaller of two elements, in the same way.
class ESPALIER_API Minimum final : public OperationOf<Minimum, Elementwise<>> {
 public:
  static constexpr std::string_view kName = "minimum";
  static KernelSlot slot;

  Tensors backward(const BackwardContext& context) const override;
};

/// The gradient of maximum with respect to its first operand: g where a > b or one is NaN, g / 2 where they
/// are equal, else 0. Inputs: g, which came for the larger, a and b. (With a and b exchanged it is that of
/// minimum.)
class ESPALIER_API MaximumBackward final
    : public OperationOf<MaximumBackward, Elementwise<ElementTypes::floating>> {
 public:
  static constexpr std::string_view kName = "maximum_backward";
  static KernelSlot slot;

  Tensors backward(const BackwardContext& context) const override;
  SavedForBackward saved_for_backward() const override { return {.inputs = 0b110, .outputs = 0}; }
};

/// The larger of a and b, element by element (max() is the largest of one tensor). Shapes and types as in
/// add().
ESPALIER_API Tensor maximum(const Tensor& a, const Tensor& b);
ESPALIER_API Tensor maximum(const Tensor& a, Scalar b);

/// The smaller of a and b, element by element.
ESPALIER_API Tensor minimum(const Tensor& a, const Tensor& b);
ESPALIER_API Tensor minimum(const Tensor& a, Scalar b);

}  // namespace espalier
