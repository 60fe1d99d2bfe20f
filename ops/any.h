#pragma once

#include "core/door.h"
#include "ops/reduction.h"

namespace espalier {

/// Whether an element over axes is not 0, as bool; false for no elements. Any type; NaN is not 0.
class ESPALIER_API Any final : public OperationOf<Any, Reduction> {
 public:
  static constexpr std::string_view kName = "any";
  static KernelSlot slot;

  using OperationOf::OperationOf;
  void infer(Inputs inputs, OutputSpecs& outputs) const override;
  bool differentiable(int) const override { return false; }
};

/// Whether no element over axes is 0, as bool; true for no elements. Any type; NaN is not 0.
class ESPALIER_API All final : public OperationOf<All, Reduction> {
 public:
  static constexpr std::string_view kName = "all";
  static KernelSlot slot;

  using OperationOf::OperationOf;
  void infer(Inputs inputs, OutputSpecs& outputs) const override;
  bool differentiable(int) const override { return false; }
};

/// How many elements over axes are not 0, as i64. Any type; NaN is not 0.
class ESPALIER_API CountNonzero final : public OperationOf<CountNonzero, Reduction> {
 public:
  static constexpr std::string_view kName = "count_nonzero";
  static KernelSlot slot;

  using OperationOf::OperationOf;
  void infer(Inputs inputs, OutputSpecs& outputs) const override;
  bool differentiable(int) const override { return false; }
};

/// Whether any element over `axes` (negative ones count from the end; none: all) is not 0, as bool. Throws
/// ShapeError for an axis that is out of range or named twice.
ESPALIER_API Tensor any(const Tensor& input, const Dims& axes = {}, bool keepdim = false);
/// Whether all elements over `axes` are not 0, in the same way.
ESPALIER_API Tensor all(const Tensor& input, const Dims& axes = {}, bool keepdim = false);
/// How many elements over `axes` are not 0, as i64, in the same way.
ESPALIER_API Tensor count_nonzero(const Tensor& input, const Dims& axes = {}, bool keepdim = false);

}  // namespace espalier
