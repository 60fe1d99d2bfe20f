#include "ops/activation.h"

#include "ops/gelu.h"
#include "ops/relu.h"

namespace espalier {

std::ostream& operator<<(std::ostream& out, Activation activation) {
  constexpr const char* kNames[] = {"none", "relu", "gelu_tanh", "gelu_erf"};
  return out << kNames[static_cast<size_t>(activation)];
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
