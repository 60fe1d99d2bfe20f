#pragma once

#include "core/door.h"

namespace espalier::runtime {

/// A tensor with a part of it, a view, replaced: how a change through a view reaches the whole. Inputs: the
/// whole and the part. Where the part lies in the whole's memory already, nothing is to do.
class WriteView final : public OperationOf<WriteView> {
 public:
  static constexpr std::string_view kName = "write_view";
  static KernelSlot slot;

  /// `part` has the layout of the view in the memory of the whole.
  explicit WriteView(const Tensor& part)
      : shape_(part.shape()), strides_(part.strides()), offset_(part.offset()) {}

  const Strides& strides() const noexcept { return strides_; }
  /// Of the part in the whole's memory, in elements.
  int64_t offset() const noexcept { return offset_; }
  void infer(Inputs inputs, OutputSpecs& outputs) const override;
  bool differentiable(int) const override { return false; }
  void visit_attributes(AttributeVisitor& visit) override {
    visit("shape", shape_);
    visit("strides", strides_);
    visit("offset", offset_);
  }

 private:
  Shape shape_;
  Strides strides_;
  int64_t offset_;
};

}  // namespace espalier::runtime
