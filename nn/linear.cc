#include "nn/linear.h"

#include "autograd/autograd.h"
#include "nn/init.h"
#include "ops/linear.h"

namespace espalier::nn {

Linear::Linear(int64_t in, int64_t out, bool with_bias, const Generator& from)
    : weight(make_parameter(uniform_by_fan_in({out, in}, in, from), "Linear")) {
  if (with_bias) bias = make_parameter(uniform_by_fan_in({out}, in, from), "Linear");
}

Tensor Linear::operator()(const Tensor& x) const {
  return linear(x, weight, bias);
}

}  // namespace espalier::nn
