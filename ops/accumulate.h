#pragma once

#include "core/door.h"

namespace espalier {

/// sum += addend, in place: how gradients accumulate. One type, one shape.
class ESPALIER_API Accumulate final : public OperationOf<Accumulate> {
 public:
  static constexpr std::string_view kName = "accumulate";
  static KernelSlot slot;

  void infer(Inputs inputs, OutputSpecs& outputs) const override;
  bool differentiable(int) const override { return false; }
};

/// Adds `addend` to `sum` in place and returns `sum`. Throws ShapeError and TypeError where they differ,
/// GradientError where `sum` requires a gradient and recording is on.
ESPALIER_API Tensor accumulate_(const Tensor& sum, const Tensor& addend);

}  // namespace espalier
