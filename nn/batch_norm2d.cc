#include "nn/batch_norm2d.h"

#include "autograd/autograd.h"
#include "ops/batch_norm.h"

namespace espalier::nn {

BatchNorm2d::BatchNorm2d(int64_t channels, double epsilon_, double momentum_)
    : weight(make_parameter(ones({channels}), "BatchNorm2d")),
      bias(make_parameter(zeros({channels}), "BatchNorm2d")),
      running_mean(zeros({channels})),
      running_var(ones({channels})),
      epsilon(epsilon_),
      momentum(momentum_) {}

Tensor BatchNorm2d::operator()(const Tensor& x) const {
  return batch_norm(x, weight, bias, running_mean, running_var,
                    {.training = training, .momentum = momentum, .eps = epsilon});
}

}  // namespace espalier::nn
