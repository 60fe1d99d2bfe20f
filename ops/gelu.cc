#include "ops/gelu.h"

#include <cmath>
#include <numbers>

#include "ops/add.h"
#include "ops/elementwise_internal.h"
#include "ops/erf.h"
#include "ops/multiply.h"
#include "ops/tanh.h"

namespace espalier {

void visit_attribute(AttributeVisitor& visit, std::string_view name, GeluForm& form) {
  constexpr std::string_view kNames[] = {"tanh", "erf"};
  visit(name, form, kNames);
}

Tensors Gelu::backward(const BackwardContext& context) const {
  return {apply_one(GeluBackward(form_), context.gradient(0), context.input(0))};
}

Tensors Gelu::decompose(Inputs inputs) const {
  const Tensor& x = inputs[0];
  if (form_ == GeluForm::erf) return {x * 0.5 * (1 + erf(x * std::sqrt(0.5)))};
  const double k = std::sqrt(2 / std::numbers::pi);
  return {x * 0.5 * (1 + tanh((x + x * x * x * 0.044715) * k))};
}

Tensor gelu(const Tensor& x) {
  return apply_elementwise<Gelu>(x);
}

Tensor gelu_exact(const Tensor& x) {
  return apply_one(Gelu(GeluForm::erf), promoted_to_floating(Gelu::kName, x));
}

}  // namespace espalier
