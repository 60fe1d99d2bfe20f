#pragma once

#include "core/door.h"
#include "core/scalar.h"
#include "ops/elementwise.h"

namespace espalier {

/// Whether two elements are equal, as bool, with broadcasting. Any type; NaN equals nothing.
class ESPALIER_API Equal final : public OperationOf<Equal, Elementwise<>> {
 public:
  static constexpr std::string_view kName = "equal";
  static KernelSlot slot;

  void infer(Inputs inputs, OutputSpecs& outputs) const override;
  bool differentiable(int) const override { return false; }
};

/// a == b, element by element. Shapes and types as in add().
ESPALIER_API Tensor equal(const Tensor& a, const Tensor& b);
ESPALIER_API Tensor equal(const Tensor& a, Scalar b);

}  // namespace espalier
