#pragma once

#include "core/door.h"

namespace espalier {

/// Class indices [...] as rows of zeros with a one at the index: [..., classes].
class ESPALIER_API OneHot final : public OperationOf<OneHot> {
 public:
  static constexpr std::string_view kName = "one_hot";
  static KernelSlot slot;

  OneHot(int64_t classes, Dtype dtype) : classes_(classes), dtype_(dtype) {}
  int64_t classes() const noexcept { return classes_; }
  void infer(Inputs inputs, OutputSpecs& outputs) const override;
  bool differentiable(int) const override { return false; }
  std::vector<AxisTie> axis_ties(Inputs inputs) const override;
  void visit_attributes(AttributeVisitor& visit) override {
    visit("classes", classes_);
    visit("dtype", dtype_);
  }

 private:
  int64_t classes_;
  Dtype dtype_;
};

/// One-hot rows [..., classes] of type `dtype` for indices [...] of type i32 or i64. Throws TypeError for
/// another type of indices, ShapeError for a negative number of classes, ValueError for an index outside
/// [0, classes).
ESPALIER_API Tensor one_hot(const Tensor& indices, int64_t classes, Dtype dtype = Dtype::f32);

}  // namespace espalier
