#include "ops/any.h"

// clang-format off
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "ops/any_cpu.cc"
#include "core/highway_internal.h"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"
#include "ops/reducers-inl.h"
// clang-format on

HWY_BEFORE_NAMESPACE();
namespace espalier::HWY_NAMESPACE {

/// The largest flag.
template <class C>
struct AnyReducer : ExtremumReducer<C, true, NonzeroFlags> {
  C identity() const { return C{0}; }
};

/// The smallest flag.
template <class C>
struct AllReducer : ExtremumReducer<C, false, NonzeroFlags> {
  C identity() const { return C{1}; }
};

template <template <class> class Reducer>
void flags_kernel(const Tensor& output, const Tensor& input, const Dims& axes, void* partial) {
  visit_compute_type(input.dtype(), [&](auto tag) {
    using C = typename decltype(tag)::type;
    run_reduction<C>(Reducer<C>(), output, input, axes, partial);
  });
}

void any_kernel(const Tensor& output, const Tensor& input, const Dims& axes, void* partial) {
  flags_kernel<AnyReducer>(output, input, axes, partial);
}
void all_kernel(const Tensor& output, const Tensor& input, const Dims& axes, void* partial) {
  flags_kernel<AllReducer>(output, input, axes, partial);
}
void count_nonzero_kernel(const Tensor& output, const Tensor& input, const Dims& axes, void* partial) {
  flags_kernel<CountReducer>(output, input, axes, partial);
}

}  // namespace espalier::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace espalier {

HWY_EXPORT(any_kernel);
void any_cpu(const Any& op, Inputs inputs, Outputs outputs, void* scratch) {
  ESPALIER_DISPATCH(any_kernel)(outputs[0], inputs[0], op.reduced_axes(inputs[0].rank()), scratch);
}

HWY_EXPORT(all_kernel);
void all_cpu(const All& op, Inputs inputs, Outputs outputs, void* scratch) {
  ESPALIER_DISPATCH(all_kernel)(outputs[0], inputs[0], op.reduced_axes(inputs[0].rank()), scratch);
}

HWY_EXPORT(count_nonzero_kernel);
void count_nonzero_cpu(const CountNonzero& op, Inputs inputs, Outputs outputs, void* scratch) {
  ESPALIER_DISPATCH(count_nonzero_kernel)(outputs[0], inputs[0], op.reduced_axes(inputs[0].rank()), scratch);
}

}  // namespace espalier
#endif
