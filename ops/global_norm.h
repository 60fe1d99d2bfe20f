#pragma once

#include <span>

#include "core/door.h"

namespace espalier {

// What clipping of gradients takes: see optim/clip.h.

/// The Euclidean norm of all elements of all inputs together. Not differentiable.
class ESPALIER_API GlobalNorm final : public OperationOf<GlobalNorm> {
 public:
  static constexpr std::string_view kName = "global_norm";
  static KernelSlot slot;

  void infer(Inputs inputs, OutputSpecs& outputs) const override;
  bool differentiable(int) const override { return false; }
  Cost cost(Inputs inputs, std::span<const OutputSpec> outputs) const override;
};

/// sqrt(sum x * x) over all elements of `tensors` (f64, f32, f16 or bf16, each of its own shape and type), an
/// f64 tensor without axes. Squares are added in f64, in an order that is the same for any number of threads:
/// no f32 element overflows. Throws ValueError for no tensors or an undefined one, TypeError.
ESPALIER_API Tensor global_norm(std::span<const Tensor> tensors);

/// tensor *= min(1, max_norm / (norm + 1e-6)), in place. Inputs: tensor (f64, f32, f16 or bf16), norm (f64 or
/// f32, no axes).
class ESPALIER_API ClipByNorm final : public OperationOf<ClipByNorm> {
 public:
  static constexpr std::string_view kName = "clip_by_norm";
  static KernelSlot slot;

  explicit ClipByNorm(double max_norm) : max_norm_(max_norm) {}
  double max_norm() const noexcept { return max_norm_; }
  void infer(Inputs inputs, OutputSpecs& outputs) const override;
  bool differentiable(int) const override { return false; }
  std::vector<AxisTie> axis_ties(Inputs inputs) const override;
  void visit_attributes(AttributeVisitor& visit) override { visit("max_norm", max_norm_); }

 private:
  double max_norm_;
};

/// Scales `tensor` as if its norm were `norm`, with PyTorch's formula and its 1e-6. A norm of NaN makes every
/// element NaN; one of infinity makes finite elements 0 and the others NaN. Throws ValueError for a
/// `max_norm` that is negative or NaN, ShapeError, TypeError, GradientError where `tensor` requires a
/// gradient and recording is on.
ESPALIER_API void clip_by_norm_(const Tensor& tensor, const Tensor& norm, double max_norm);

/// tensor = min(max(tensor, -limit), limit), in place. Input: tensor (f64, f32, f16 or bf16).
class ESPALIER_API ClipByValue final : public OperationOf<ClipByValue> {
 public:
  static constexpr std::string_view kName = "clip_by_value";
  static KernelSlot slot;

  explicit ClipByValue(double limit) : limit_(limit) {}
  double limit() const noexcept { return limit_; }
  void infer(Inputs inputs, OutputSpecs& outputs) const override;
  bool differentiable(int) const override { return false; }
  std::vector<AxisTie> axis_ties(Inputs inputs) const override;
  void visit_attributes(AttributeVisitor& visit) override { visit("limit", limit_); }

 private:
  double limit_;
};

/// Brings every element into [-limit, limit]; NaN stays. Throws ValueError for a `limit` that is negative or
/// NaN, TypeError, GradientError where `tensor` requires a gradient and recording is on.
ESPALIER_API void clip_by_value_(const Tensor& tensor, double limit);

}  // namespace espalier
