#include "nn/batch_norm1d.h"

#include "autograd/autograd.h"
#include "core/error.h"
#include "ops/batch_norm.h"

namespace espalier::nn {

BatchNorm1d::BatchNorm1d(int64_t channels, double epsilon_, double momentum_)
    : weight(make_parameter(ones({channels}), "BatchNorm1d")),
      bias(make_parameter(zeros({channels}), "BatchNorm1d")),
      running_mean(zeros({channels})),
      running_var(ones({channels})),
      epsilon(epsilon_),
      momentum(momentum_) {}

Tensor BatchNorm1d::operator()(const Tensor& x) const {
  if (x.rank() != 2 && x.rank() != 3)
    throw ShapeError("BatchNorm1d", "x is " + describe(x) + "; expected [N, C] or [N, C, L]");
  return batch_norm(x, weight, bias, running_mean, running_var,
                    {.training = training, .momentum = momentum, .eps = epsilon});
}

}  // namespace espalier::nn
