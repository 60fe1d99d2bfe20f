#include "nn/rms_norm.h"

#include "autograd/autograd.h"
#include "ops/rms_norm.h"

namespace espalier::nn {

RMSNorm::RMSNorm(const Shape& normalized_shape_, std::optional<double> epsilon_, bool with_weight)
    : normalized_shape(normalized_shape_), epsilon(epsilon_) {
  if (with_weight) weight = make_parameter(ones(normalized_shape), "RMSNorm");
}

Tensor RMSNorm::operator()(const Tensor& x) const {
  return rms_norm(x, weight.defined() ? weight.shape() : normalized_shape, weight, epsilon);
}

}  // namespace espalier::nn
