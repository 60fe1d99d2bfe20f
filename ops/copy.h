#pragma once

#include "core/door.h"

namespace espalier {

/// A new tensor with the same elements.
class ESPALIER_API Copy final : public OperationOf<Copy> {
 public:
  static constexpr std::string_view kName = "copy";
  static KernelSlot slot;

  /// What the copy's memory looks like.
  enum class Layout : uint8_t {
    preserve,       ///< as the input's where that is dense, else row-major
    contiguous,     ///< row-major
    channels_last,  ///< N, H, W, C for a tensor of axes N, C, H, W
  };

  explicit Copy(Layout layout) : layout_(layout) {}
  void infer(Inputs inputs, OutputSpecs& outputs) const override;
  Tensors backward(const BackwardContext& context) const override { return {context.gradient(0)}; }
  SavedForBackward saved_for_backward() const override { return {.inputs = 0, .outputs = 0}; }
  std::vector<AxisTie> axis_ties(Inputs inputs) const override;
  void visit_attributes(AttributeVisitor& visit) override;

 private:
  Layout layout_;
};

/// A new tensor with the same elements, laid out as `input` where that is dense, else row-major.
ESPALIER_API Tensor copy(const Tensor& input);
/// `input` in row-major memory: itself, or a copy.
ESPALIER_API Tensor contiguous(const Tensor& input);
/// `input`, of axes N, C, H, W, in memory ordered N, H, W, C: itself, or a copy. Throws ShapeError for
/// another rank.
ESPALIER_API Tensor channels_last(const Tensor& input);
/// Overwrites `target` with `source`, which may broadcast and be of another type, and returns it. Throws
/// ShapeError, and GradientError where `target` requires a gradient and recording is on.
ESPALIER_API Tensor copy_(const Tensor& target, const Tensor& source);

/// target = source, element by element, in place.
class ESPALIER_API CopyInto final : public OperationOf<CopyInto> {
 public:
  static constexpr std::string_view kName = "copy_";
  static KernelSlot slot;

  void infer(Inputs inputs, OutputSpecs& outputs) const override;
  bool differentiable(int) const override { return false; }
};

}  // namespace espalier
