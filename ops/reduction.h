#pragma once

#include "core/operation.h"

namespace espalier {

/// What operations that reduce over axes have in common.
class ESPALIER_API Reduction : public Operation {
 public:
  /// No axes: all of them. With `keepdim` the axes stay, with size 1.
  Reduction(const Dims& axes, bool keepdim) : axes_(axes), keepdim_(keepdim) {}

  /// The axes of an input of `rank` axes that are reduced, non-negative and sorted. Throws ShapeError for one
  /// that is out of range or named twice.
  Dims reduced_axes(int rank) const;

  std::vector<AxisTie> axis_ties(Inputs inputs) const override;
  void visit_attributes(AttributeVisitor& visit) override {
    visit("axes", axes_);
    visit("keepdim", keepdim_);
  }
  AutocastRule autocast_rule() const override { return AutocastRule::widen; }

 protected:
  const Dims& axes() const noexcept { return axes_; }
  /// Throws TypeError for u16, u32 and u64, and for integers and
  /// bool as well where it must be `floating`.
  void check_reducible(Inputs inputs, bool floating = false) const;
  /// Throws ShapeError where a reduced axis has no elements.
  void check_has_elements(const Tensor& input) const;
  /// An output of `dtype` in the shape that is left.
  OutputSpec reduced_spec(const Tensor& input, Dtype dtype) const;
  /// `reduced`, an output or its gradient, with size 1 in place of the axes that are gone: it broadcasts
  /// against the input.
  Tensor with_kept_axes(const Tensor& reduced, const Shape& input) const;

 private:
  Dims axes_;
  bool keepdim_;
};

}  // namespace espalier
