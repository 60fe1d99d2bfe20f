#pragma once

#include "core/door.h"
#include "ops/random.h"

namespace espalier {

/// Sets each element to zero with probability p and multiplies the others by 1 / (1 - p) (N. Srivastava et
/// al., JMLR 15, 2014, in the inverted form). Element i in row-major order, whatever the layout, is kept
/// where word i of the generator's stream is at least p * 2^32. Inputs: the tensor and the generator's state;
/// outputs: the result, the place in the stream from which the mask can be made again (seed and offset,
/// i64[2]), and the state, updated.
class ESPALIER_API Dropout final : public OperationOf<Dropout> {
 public:
  static constexpr std::string_view kName = "dropout";
  static KernelSlot slot;

  /// Throws ValueError for p outside [0, 1].
  explicit Dropout(double p);
  double p() const noexcept { return p_; }
  void infer(Inputs inputs, OutputSpecs& outputs) const override;
  Tensors backward(const BackwardContext& context) const override;
  SavedForBackward saved_for_backward() const override { return {.inputs = 0, .outputs = 0b10}; }
  bool differentiable(int output) const override { return output == 0; }
  std::vector<AxisTie> axis_ties(Inputs inputs) const override;
  void visit_attributes(AttributeVisitor& visit) override {
    visit("p", p_);
    *this = Dropout(p_);  // which checks it
  }

 private:
  double p_;
};

/// `input`, of a floating type, with each element zero with probability `p` and the others divided by 1 - p;
/// p = 1 gives zeros, p = 0 the input itself, and draws nothing. For training: leave it out for inference.
/// Throws ValueError for p outside [0, 1], TypeError.
ESPALIER_API Tensor dropout(const Tensor& input, double p, const Generator& from = {});

/// The same mask and factor on another tensor, the gradient: inputs are that and the place in the stream.
class ESPALIER_API DropoutBackward final : public OperationOf<DropoutBackward> {
 public:
  static constexpr std::string_view kName = "dropout_backward";
  static KernelSlot slot;

  explicit DropoutBackward(double p) : p_(p) {}
  double p() const noexcept { return p_; }
  void infer(Inputs inputs, OutputSpecs& outputs) const override;
  Tensors backward(const BackwardContext& context) const override;
  SavedForBackward saved_for_backward() const override { return {.inputs = 0b10, .outputs = 0}; }
  std::vector<AxisTie> axis_ties(Inputs inputs) const override;
  void visit_attributes(AttributeVisitor& visit) override { visit("p", p_); }

 private:
  double p_;
};

}  // namespace espalier
