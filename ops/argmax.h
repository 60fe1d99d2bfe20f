#pragma once

#include "core/door.h"
#include "ops/reduction.h"

namespace espalier {

/// The index along one axis of the first of its largest elements (the first NaN, where there is one), as i64.
/// Any type.
class ESPALIER_API Argmax final : public OperationOf<Argmax, Reduction> {
 public:
  static constexpr std::string_view kName = "argmax";
  static KernelSlot slot;

  Argmax(int64_t axis, bool keepdim) : OperationOf({axis}, keepdim) {}
  void infer(Inputs inputs, OutputSpecs& outputs) const override;
  bool differentiable(int) const override { return false; }
};

/// The index of the largest element along `axis` (negative ones count from the end). Throws ShapeError for an
/// axis that is out of range or without elements.
ESPALIER_API Tensor argmax(const Tensor& input, int64_t axis = -1, bool keepdim = false);

}  // namespace espalier
