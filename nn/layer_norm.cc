#include "nn/layer_norm.h"

#include "autograd/autograd.h"
#include "ops/layer_norm.h"

namespace espalier::nn {

LayerNorm::LayerNorm(int64_t width, double epsilon_)
    : weight(make_parameter(ones({width}), "LayerNorm")),
      bias(make_parameter(zeros({width}), "LayerNorm")),
      epsilon(epsilon_) {}

Tensor LayerNorm::operator()(const Tensor& x) const {
  return layer_norm(x, weight.shape(), weight, bias, epsilon);
}

}  // namespace espalier::nn
