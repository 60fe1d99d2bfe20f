#include "ops/quantize.h"

// clang-format off
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "ops/quantize_cpu.cc"
#include "core/highway_internal.h"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"
#include "ops/elementwise-inl.h"
// clang-format on

HWY_BEFORE_NAMESPACE();
namespace espalier::HWY_NAMESPACE {

struct QuantizedElements {
  float scale, zero_point, least, most;

  template <class D, class V>
  HWY_ATTR V operator()(D d, V x) const {
    const V rounded = hn::Round(hn::Div(x, hn::Set(d, scale)));
    const V number = hn::IfThenElseZero(hn::Eq(rounded, rounded), rounded);
    const V q = hn::Add(number, hn::Set(d, zero_point));
    return hn::Min(hn::Max(q, hn::Set(d, least)), hn::Set(d, most));
  }
};

// 10: of the simple operations the division counts as four.
void quantize_kernel(const Quantize& op, const Tensor& output, Inputs inputs) {
  const auto least = op.dtype() == Dtype::u8 ? 0.0f : -128.0f;
  const QuantizedElements elements{static_cast<float>(op.quantization().scale),
                                   static_cast<float>(op.quantization().zero_point), least, least + 255};
  run_elementwise<float, 1>(elements, output, inputs, 10);
}

struct DequantizedElements {
  float scale, zero_point;

  template <class D, class V>
  HWY_ATTR V operator()(D d, V q) const {
    return hn::Mul(hn::Sub(q, hn::Set(d, zero_point)), hn::Set(d, scale));
  }
};

void dequantize_kernel(const Dequantize& op, const Tensor& output, Inputs inputs) {
  const DequantizedElements elements{static_cast<float>(op.quantization().scale),
                                     static_cast<float>(op.quantization().zero_point)};
  run_elementwise<float, 1>(elements, output, inputs, 3);
}

}  // namespace espalier::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

ESPALIER_ELEMENTWISE_KERNEL(Quantize, quantize)
ESPALIER_ELEMENTWISE_KERNEL(Dequantize, dequantize)
