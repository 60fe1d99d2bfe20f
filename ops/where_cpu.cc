#include "ops/where.h"

// clang-format off
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "ops/where_cpu.cc"
#include "core/highway_internal.h"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"
#include "ops/elementwise-inl.h"
// clang-format on

HWY_BEFORE_NAMESPACE();
namespace espalier::HWY_NAMESPACE {

struct WhereElements {
  template <class D, class V>
  HWY_ATTR V operator()(D, hn::Mask<D> condition, V a, V b) const {
    return hn::IfThenElse(condition, a, b);
  }
};

template <class T>
void run_where(const Tensor& output, Inputs inputs) {
  run_vectors<T, T, bool, T, T>(WhereElements(), output, inputs, 1);
}

// Elements are moved, whatever they mean.
void where_kernel(const Where&, const Tensor& output, Inputs inputs) {
  switch (size_of(output.dtype())) {
    case 1:
      return run_where<uint8_t>(output, inputs);
    case 2:
      return run_where<uint16_t>(output, inputs);
    case 4:
      return run_where<uint32_t>(output, inputs);
    default:
      return run_where<uint64_t>(output, inputs);
  }
}

}  // namespace espalier::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

ESPALIER_ELEMENTWISE_KERNEL(Where, where)
