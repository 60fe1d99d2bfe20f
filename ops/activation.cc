#include "ops/activation.h"

#include "ops/gelu.h"
#include "ops/relu.h"

namespace espalier {

void visit_attribute(AttributeVisitor& visit, std::string_view name, Activation& activation) {
  constexpr std::string_view kNames[] = {"none", "relu", "gelu_tanh", "gelu_erf"};
  visit(name, activation, kNames);
}

Tensor activate(const Tensor& x, Activation activation) {
  switch (activation) {
    case Activation::none:
      break;
    case Activation::relu:
      return relu(x);
    case Activation::gelu_tanh:
      return gelu(x);
    case Activation::gelu_erf:
      return gelu_exact(x);
  }
  return x;
}

}  // namespace espalier
