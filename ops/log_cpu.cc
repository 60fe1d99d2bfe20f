#include "ops/log.h"

// clang-format off
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "ops/log_cpu.cc"
#include "core/highway_internal.h"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"
#include "ops/elementwise-inl.h"
#include "ops/vector_math-inl.h"
// clang-format on

HWY_BEFORE_NAMESPACE();
namespace espalier::HWY_NAMESPACE {

struct LogElements {
  template <class D, class V>
  HWY_ATTR V operator()(D d, V x) const {
    return vector_log(d, x);
  }
};

void log_kernel(const Log&, const Tensor& output, Inputs inputs) {
  run_elementwise_floating<1>(LogElements(), output, inputs, 12);
}

struct Log1pElements {
  template <class D, class V>
  HWY_ATTR V operator()(D d, V x) const {
    return vector_log1p(d, x);
  }
};

void log1p_kernel(const Log1p&, const Tensor& output, Inputs inputs) {
  run_elementwise_floating<1>(Log1pElements(), output, inputs, 14);
}

struct Log2Elements {
  template <class D, class V>
  HWY_ATTR V operator()(D d, V x) const {
    return vector_log2(d, x);
  }
};

void log2_kernel(const Log2&, const Tensor& output, Inputs inputs) {
  run_elementwise_floating<1>(Log2Elements(), output, inputs, 12);
}

struct Log10Elements {
  template <class D, class V>
  HWY_ATTR V operator()(D d, V x) const {
    return vector_log10(d, x);
  }
};

void log10_kernel(const Log10&, const Tensor& output, Inputs inputs) {
  run_elementwise_floating<1>(Log10Elements(), output, inputs, 12);
}

}  // namespace espalier::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

ESPALIER_ELEMENTWISE_KERNEL(Log, log)
ESPALIER_ELEMENTWISE_KERNEL(Log1p, log1p)
ESPALIER_ELEMENTWISE_KERNEL(Log2, log2)
ESPALIER_ELEMENTWISE_KERNEL(Log10, log10)
