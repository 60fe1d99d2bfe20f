#include "ops/logical.h"

// clang-format off
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "ops/logical_cpu.cc"
#include "core/highway_internal.h"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"
#include "ops/elementwise-inl.h"
// clang-format on

HWY_BEFORE_NAMESPACE();
namespace espalier::HWY_NAMESPACE {

// Bools are bytes, 0 or 1.

struct LogicalAndElements {
  template <class D, class V>
  HWY_ATTR V operator()(D, V a, V b) const {
    return hn::And(a, b);
  }
};

void logical_and_kernel(const LogicalAnd&, const Tensor& output, Inputs inputs) {
  run_elementwise<uint8_t, 2>(LogicalAndElements(), output, inputs, 1);
}

struct LogicalOrElements {
  template <class D, class V>
  HWY_ATTR V operator()(D, V a, V b) const {
    return hn::Or(a, b);
  }
};

void logical_or_kernel(const LogicalOr&, const Tensor& output, Inputs inputs) {
  run_elementwise<uint8_t, 2>(LogicalOrElements(), output, inputs, 1);
}

struct LogicalXorElements {
  template <class D, class V>
  HWY_ATTR V operator()(D, V a, V b) const {
    return hn::Xor(a, b);
  }
};

void logical_xor_kernel(const LogicalXor&, const Tensor& output, Inputs inputs) {
  run_elementwise<uint8_t, 2>(LogicalXorElements(), output, inputs, 1);
}

struct LogicalNotElements {
  template <class D, class V>
  HWY_ATTR V operator()(D d, V x) const {
    return hn::Xor(x, hn::Set(d, 1));
  }
};

void logical_not_kernel(const LogicalNot&, const Tensor& output, Inputs inputs) {
  run_elementwise<uint8_t, 1>(LogicalNotElements(), output, inputs, 1);
}

}  // namespace espalier::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

ESPALIER_ELEMENTWISE_KERNEL(LogicalAnd, logical_and)
ESPALIER_ELEMENTWISE_KERNEL(LogicalOr, logical_or)
ESPALIER_ELEMENTWISE_KERNEL(LogicalXor, logical_xor)
ESPALIER_ELEMENTWISE_KERNEL(LogicalNot, logical_not)
