#include <algorithm>

#include "ops/cast.h"
#include "ops/elementwise_internal.h"

namespace espalier {
namespace {

/// Elements as they are, in a type that holds both those that come and those that go exactly: the loop around
/// it converts from the one to the other.
template <class C>
void cast_elements(const Tensor& output, Inputs inputs) {
  const ElementwiseBody body{.functor = "",
                             .functor_bytes = 0,
                             .apply =
                                 [](const void*, char* out, const ElementwiseBody::Places& in,
                                    const ElementwiseBody::Walks& walks, int64_t n) {
                                   auto* const to = reinterpret_cast<C*>(out);
                                   const auto* const from = reinterpret_cast<const C*>(in[0]);
                                   if (walks[0] == 0)
                                     std::fill_n(to, n, *from);
                                   else
                                     std::copy_n(from, n, to);
                                 },
                             .operands = {dtype_of<C>(), dtype_of<C>()},
                             .lanes = 1};
  run_elementwise_body(body, output, inputs, 1);
}

}  // namespace

void cast_cpu(const Cast&, Inputs inputs, Outputs outputs) {
  const Dtype from = inputs[0].dtype(), to = outputs[0].dtype();
  if (!is_floating(from))
    return cast_elements<int64_t>(outputs[0], inputs);  // u64 keeps its bits on the way to an integer
  if (from == Dtype::f64 || !is_floating(to)) return cast_elements<double>(outputs[0], inputs);
  cast_elements<float>(outputs[0], inputs);
}

}  // namespace espalier
