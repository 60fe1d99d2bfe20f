#include "ops/softplus.h"

// clang-format off
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "ops/softplus_cpu.cc"
#include "core/highway_internal.h"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"
#include "ops/elementwise-inl.h"
#include "ops/vector_math-inl.h"
// clang-format on

HWY_BEFORE_NAMESPACE();
namespace espalier::HWY_NAMESPACE {

/// max(z, 0) + ln(1 + e^-|z|), which no z overflows.
struct SoftplusElements {
  double beta, threshold;
  template <class D, class V>
  HWY_ATTR V operator()(D d, V x) const {
    using T = hn::TFromD<D>;
    const V z = hn::Mul(x, hn::Set(d, static_cast<T>(beta)));
    const V y = hn::Add(hn::Max(hn::Zero(d), z), softplus_rest(d, z));
    return hn::IfThenElse(hn::Gt(z, hn::Set(d, static_cast<T>(threshold))), x,
                          hn::Mul(y, hn::Set(d, static_cast<T>(1 / beta))));
  }
};

void softplus_kernel(const Softplus& op, const Tensor& output, Inputs inputs) {
  run_elementwise_floating<1>(SoftplusElements{op.beta(), op.threshold()}, output, inputs, 24);
}

struct SoftplusBackwardElements {
  double beta, threshold;
  template <class D, class V>
  HWY_ATTR V operator()(D d, V gradient, V x) const {
    using T = hn::TFromD<D>;
    const V z = hn::Mul(x, hn::Set(d, static_cast<T>(beta)));
    const V below = hn::Div(gradient, hn::Add(hn::Set(d, T{1}), vector_exp(d, hn::Neg(z))));
    return hn::IfThenElse(hn::Gt(z, hn::Set(d, static_cast<T>(threshold))), gradient, below);
  }
};

void softplus_backward_kernel(const SoftplusBackward& op, const Tensor& output, Inputs inputs) {
  run_elementwise_floating<2>(SoftplusBackwardElements{op.beta(), op.threshold()}, output, inputs, 14);
}

struct LogSigmoidElements {
  template <class D, class V>
  HWY_ATTR V operator()(D d, V x) const {
    return hn::Sub(hn::Min(hn::Zero(d), x), softplus_rest(d, x));
  }
};

void log_sigmoid_kernel(const LogSigmoid&, const Tensor& output, Inputs inputs) {
  run_elementwise_floating<1>(LogSigmoidElements(), output, inputs, 24);
}

struct LogSigmoidBackwardElements {
  template <class D, class V>
  HWY_ATTR V operator()(D d, V gradient, V x) const {
    return hn::Div(gradient, hn::Add(hn::Set(d, hn::TFromD<D>{1}), vector_exp(d, x)));
  }
};

void log_sigmoid_backward_kernel(const LogSigmoidBackward&, const Tensor& output, Inputs inputs) {
  run_elementwise_floating<2>(LogSigmoidBackwardElements(), output, inputs, 12);
}

}  // namespace espalier::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

ESPALIER_ELEMENTWISE_KERNEL(Softplus, softplus)
ESPALIER_ELEMENTWISE_KERNEL(SoftplusBackward, softplus_backward)
ESPALIER_ELEMENTWISE_KERNEL(LogSigmoid, log_sigmoid)
ESPALIER_ELEMENTWISE_KERNEL(LogSigmoidBackward, log_sigmoid_backward)
