#pragma once

#include "core/door.h"
#include "ops/reduction.h"

namespace espalier {

/// Products over axes. Floating types keep their type, and multiply in f32 or wider; integers and bool give
/// i64. The gradient of an element is the product of the others, also where elements are 0.
class ESPALIER_API Product final : public OperationOf<Product, Reduction> {
 public:
  static constexpr std::string_view kName = "product";
  static KernelSlot slot;

  using OperationOf::OperationOf;
  void infer(Inputs inputs, OutputSpecs& outputs) const override;
  Tensors backward(const BackwardContext& context) const override;
  SavedForBackward saved_for_backward() const override { return {.inputs = 1, .outputs = 0}; }
  bool decomposable() const override { return true; }
  Tensors decompose(Inputs inputs) const override;
};

/// The product over `axes` (negative ones count from the end; none: all), 1 for no elements. Throws
/// ShapeError for an axis that is out of range or named twice.
ESPALIER_API Tensor product(const Tensor& input, const Dims& axes = {}, bool keepdim = false);

/// The gradient of Product: for each element the product of the others, times the gradient. The inputs are
/// the gradient, with size 1 in place of the axes, and the Product's input. Floating types.
class ESPALIER_API ProductBackward final : public OperationOf<ProductBackward> {
 public:
  static constexpr std::string_view kName = "product_backward";
  static KernelSlot slot;

  void infer(Inputs inputs, OutputSpecs& outputs) const override;
  std::vector<AxisTie> axis_ties(Inputs inputs) const override;
  Cost cost(Inputs inputs, std::span<const OutputSpec> outputs) const override;
};

}  // namespace espalier
