#include <vector>

#include "ops/mean.h"
#include "ops/sum.h"

// clang-format off
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "ops/sum_cpu.cc"
#include "core/highway_internal.h"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"
#include "ops/reducers-inl.h"
// clang-format on

HWY_BEFORE_NAMESPACE();
namespace espalier::HWY_NAMESPACE {

void sum_kernel(const Tensor& output, const Tensor& input, const Dims& axes, int64_t divisor, void* partial) {
  const auto run = [&](auto tag) {
    using C = typename decltype(tag)::type;
    run_reduction<C>(SumReducer<C>{{}, static_cast<typename SumReducer<C>::Total>(divisor)}, output, input,
                     axes, partial);
  };
  if (input.dtype() == Dtype::f64)
    run(TypeTag<double>());
  else if (is_floating(input.dtype()))
    run(TypeTag<float>());
  else
    run(TypeTag<int64_t>());
}

}  // namespace espalier::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace espalier {

HWY_EXPORT(sum_kernel);
void sum_cpu(const Sum& op, Inputs inputs, Outputs outputs, void* scratch) {
  ESPALIER_DISPATCH(sum_kernel)(outputs[0], inputs[0], op.reduced_axes(inputs[0].rank()), 1, scratch);
}

void mean_cpu(const Mean& op, Inputs inputs, Outputs outputs, void* scratch) {
  ESPALIER_DISPATCH(sum_kernel)
  (outputs[0], inputs[0], op.reduced_axes(inputs[0].rank()), op.elements(inputs[0].shape()), scratch);
}

namespace {

/// The plain reference: one pass in the input's row-major order, in the widest type, then a division.
template <class C>
void sum_in(const Reduction& op, const Tensor& output, const Tensor& input, C divisor = 1) {
  Shape kept = input.shape();
  for (int64_t axis : op.reduced_axes(input.rank())) kept[static_cast<int>(axis)] = 1;
  std::vector<C> totals(static_cast<size_t>(output.numel()), C{0});
  const Strides strides = broadcast_strides(kept, contiguous_strides(kept), input.shape());
  const Shape& shape = input.shape();
  const auto* base = static_cast<const char*>(input.raw_data());
  Dims index = Dims::filled(shape.rank(), 0);
  for (int64_t n = 0; n < input.numel(); ++n) {
    int64_t from = 0, to = 0;
    for (int i = 0; i < shape.rank(); ++i) {
      from += index[i] * input.strides()[i];
      to += index[i] * strides[i];
    }
    C value;
    load_tile(&value, input.dtype(), base + from * static_cast<int64_t>(size_of(input.dtype())), 1, 1);
    totals[static_cast<size_t>(to)] += value;
    for (int i = shape.rank() - 1; i >= 0 && ++index[i] == shape[i]; --i) index[i] = 0;
  }
  for (C& total : totals) total /= divisor;
  store_tile(totals.data(), output.dtype(), static_cast<char*>(output.raw_data()), 1, output.numel());
}

}  // namespace

void sum_reference(const Sum& op, Inputs inputs, Outputs outputs) {
  if (is_floating(inputs[0].dtype()))
    sum_in<double>(op, outputs[0], inputs[0]);
  else
    sum_in<int64_t>(op, outputs[0], inputs[0]);
}

void mean_reference(const Mean& op, Inputs inputs, Outputs outputs) {
  sum_in<double>(op, outputs[0], inputs[0], static_cast<double>(op.elements(inputs[0].shape())));
}

}  // namespace espalier
#endif
