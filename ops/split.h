#pragma once

#include "core/door.h"

namespace espalier {

/// Cuts a tensor into neighbouring parts along an axis, as views.
class ESPALIER_API Split final : public OperationOf<Split> {
 public:
  static constexpr std::string_view kName = "split";
  static KernelSlot slot;

  Split(int64_t size, int64_t axis) : size_(size), axis_(axis) {}
  void infer(Inputs inputs, OutputSpecs& outputs) const override;
  Tensors backward(const BackwardContext& context) const override;
  SavedForBackward saved_for_backward() const override { return {.inputs = 0, .outputs = 0}; }
  std::vector<AxisTie> axis_ties(Inputs inputs) const override;
  void visit_attributes(AttributeVisitor& visit) override {
    visit("size", size_);
    visit("axis", axis_);
  }

 private:
  int64_t size_, axis_;
};

/// The parts of `size` neighbours along an axis, the last one with what is left; views. Throws ShapeError for
/// an axis out of range, ValueError for a size under 1 or for more than 32 parts.
ESPALIER_API Tensors split(const Tensor& input, int64_t size, int64_t axis = 0);

/// At most `chunks` neighbouring parts of one size along an axis, the last one with what is left; views. As
/// in PyTorch there may be fewer: 5 elements in 4 chunks are 2, 2 and 1. Throws as split does, and ValueError
/// for fewer chunks than 1.
ESPALIER_API Tensors chunk(const Tensor& input, int64_t chunks, int64_t axis = 0);

}  // namespace espalier
