#include "ops/multiply.h"

// clang-format off
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "ops/multiply_cpu.cc"
#include "core/highway_internal.h"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"
#include "ops/elementwise-inl.h"
// clang-format on

HWY_BEFORE_NAMESPACE();
namespace espalier::HWY_NAMESPACE {

struct MultiplyElements {
  template <class D, class V>
  HWY_ATTR V operator()(D d, V a, V b) const {
    if constexpr (std::is_same_v<hn::TFromD<D>, int64_t>) {
      // SSE4 and AVX2 multiply halves only: (a1 2^32 + a0) (b1 2^32 + b0) modulo 2^64.
      const hn::Repartition<uint32_t, D> halves;
      const auto a0 = hn::BitCast(halves, a), b0 = hn::BitCast(halves, b);
      const auto a1 = hn::BitCast(halves, hn::ShiftRight<32>(a)),
                 b1 = hn::BitCast(halves, hn::ShiftRight<32>(b));
      const auto cross = hn::Add(hn::MulEven(a1, b0), hn::MulEven(a0, b1));
      return hn::BitCast(d, hn::Add(hn::MulEven(a0, b0), hn::ShiftLeft<32>(cross)));
    } else {
      return hn::Mul(a, b);
    }
  }
};

void multiply_kernel(const Multiply&, const Tensor& output, Inputs inputs) {
  run_elementwise_any<2>(MultiplyElements(), output, inputs, 1);
}

}  // namespace espalier::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

ESPALIER_ELEMENTWISE_KERNEL(Multiply, multiply)
