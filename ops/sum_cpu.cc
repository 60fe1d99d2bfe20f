#include <vector>

#include "ops/elementwise_internal.h"
#include "ops/mean.h"
#include "ops/sum.h"

namespace espalier {
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
