#pragma once

#include <initializer_list>
#include <span>

#include "core/door.h"

namespace espalier {

/// Tensors one after another along an axis.
class ESPALIER_API Concat final : public OperationOf<Concat> {
 public:
  static constexpr std::string_view kName = "concat";
  static KernelSlot slot;

  AutocastRule autocast_rule() const override { return AutocastRule::agree; }
  /// Negative axes count from the end.
  explicit Concat(int64_t axis) : axis_(axis) {}
  void infer(Inputs inputs, OutputSpecs& outputs) const override;
  Tensors backward(const BackwardContext& context) const override;
  SavedForBackward saved_for_backward() const override { return {.inputs = 0, .outputs = 0}; }
  std::vector<AxisTie> axis_ties(Inputs inputs) const override;
  void visit_attributes(AttributeVisitor& visit) override { visit("axis", axis_); }

  int axis(int rank) const { return normalize_axis(axis_, rank, kName); }

 private:
  int64_t axis_;
};

/// The inputs one after another along `axis`; negative axes count from the end. The types must agree, and the
/// shapes but for that axis. Where the axes of all inputs lie in memory in one order (channels-last, say),
/// those of the result do, too. Throws ValueError for no inputs or an undefined one, ShapeError, TypeError.
ESPALIER_API Tensor concat(std::span<const Tensor> inputs, int64_t axis = 0);
inline Tensor concat(std::initializer_list<Tensor> inputs, int64_t axis = 0) {
  return concat(std::span(inputs.begin(), inputs.size()), axis);
}

/// Inputs of one shape next to each other along a new axis, which becomes axis `axis` of the result; negative
/// axes count from its end. Throws as concat does.
ESPALIER_API Tensor stack(std::span<const Tensor> inputs, int64_t axis = 0);
inline Tensor stack(std::initializer_list<Tensor> inputs, int64_t axis = 0) {
  return stack(std::span(inputs.begin(), inputs.size()), axis);
}

}  // namespace espalier
