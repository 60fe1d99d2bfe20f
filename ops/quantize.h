#pragma once

#include "core/door.h"

namespace espalier {

/// What 8-bit integers q stand for: the numbers scale * (q - zero_point).
struct Quantization {
  double scale = 1;
  int64_t zero_point = 0;

  friend bool operator==(const Quantization&, const Quantization&) = default;
};

/// The quantisation to u8 of the numbers from `low` to `high`, stretched to include 0, which a q stands for
/// exactly: padding and ReLU need that. Throws ValueError unless both are finite and low <= high.
ESPALIER_API Quantization quantization_for(double low, double high);

/// Throws ValueError unless the scale is positive and a normal f32, and `dtype`, u8 or i8, holds the zero
/// point.
ESPALIER_API void check_quantization(std::string_view name, const Quantization& quantization, Dtype dtype);

/// Numbers as 8-bit integers: q = clamp(round(x / scale) + zero_point), the quotient in f32, ties to even,
/// clamped to the type's range; NaN counts as 0. Input f32, output u8 or i8. Not differentiable.
class ESPALIER_API Quantize final : public OperationOf<Quantize> {
 public:
  static constexpr std::string_view kName = "quantize";
  static KernelSlot slot;

  Quantize(const Quantization& quantization, Dtype dtype) : quantization_(quantization), dtype_(dtype) {}
  const Quantization& quantization() const noexcept { return quantization_; }
  Dtype dtype() const noexcept { return dtype_; }
  void infer(Inputs inputs, OutputSpecs& outputs) const override;
  bool differentiable(int) const override { return false; }
  std::vector<AxisTie> axis_ties(Inputs inputs) const override;
  void visit_attributes(AttributeVisitor& visit) override {
    visit("scale", quantization_.scale);
    visit("zero_point", quantization_.zero_point);
    visit("dtype", dtype_);
  }

 private:
  Quantization quantization_;
  Dtype dtype_;
};

/// What 8-bit integers stand for: scale * (q - zero_point), in f32. Input u8 or i8. Not differentiable.
class ESPALIER_API Dequantize final : public OperationOf<Dequantize> {
 public:
  static constexpr std::string_view kName = "dequantize";
  static KernelSlot slot;

  explicit Dequantize(const Quantization& quantization) : quantization_(quantization) {}
  const Quantization& quantization() const noexcept { return quantization_; }
  void infer(Inputs inputs, OutputSpecs& outputs) const override;
  bool differentiable(int) const override { return false; }
  std::vector<AxisTie> axis_ties(Inputs inputs) const override;
  void visit_attributes(AttributeVisitor& visit) override {
    visit("scale", quantization_.scale);
    visit("zero_point", quantization_.zero_point);
  }

 private:
  Quantization quantization_;
};

/// `x`, f32, as u8 or i8. Throws TypeError for other types, ValueError for a quantisation that
/// check_quantization() refuses.
ESPALIER_API Tensor quantize(const Tensor& x, const Quantization& quantization, Dtype dtype = Dtype::u8);
/// `q`, u8 or i8, as f32. Throws likewise.
ESPALIER_API Tensor dequantize(const Tensor& q, const Quantization& quantization);

}  // namespace espalier
