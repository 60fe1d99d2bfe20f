#include "ops/log.h"

#include <numbers>

#include "ops/add.h"
#include "ops/divide.h"
#include "ops/elementwise_internal.h"
#include "ops/multiply.h"

namespace espalier {

Tensors Log::backward(const BackwardContext& context) const {
  return {context.gradient(0) / context.input(0)};
}

Tensors Log1p::backward(const BackwardContext& context) const {
  return {context.gradient(0) / (context.input(0) + 1)};
}

Tensors Log2::backward(const BackwardContext& context) const {
  return {context.gradient(0) / (context.input(0) * std::numbers::ln2)};
}

Tensors Log10::backward(const BackwardContext& context) const {
  return {context.gradient(0) / (context.input(0) * std::numbers::ln10)};
}

Tensor log(const Tensor& x) {
  return apply_elementwise<Log>(x);
}

Tensor log1p(const Tensor& x) {
  return apply_elementwise<Log1p>(x);
}

Tensor log2(const Tensor& x) {
  return apply_elementwise<Log2>(x);
}

Tensor log10(const Tensor& x) {
  return apply_elementwise<Log10>(x);
}

}  // namespace espalier
