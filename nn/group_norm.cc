#include "nn/group_norm.h"

#include "autograd/autograd.h"
#include "core/error.h"
#include "ops/group_norm.h"

namespace espalier::nn {

GroupNorm::GroupNorm(int64_t groups_, int64_t channels, double epsilon_)
    : groups(groups_), epsilon(epsilon_) {
  if (groups < 1 || channels < 0 || channels % groups != 0) {
    throw ValueError("GroupNorm", std::to_string(groups) + " groups do not divide " +
                                      std::to_string(channels) + " channels");
  }
  weight = make_parameter(ones({channels}), "GroupNorm");
  bias = make_parameter(zeros({channels}), "GroupNorm");
}

Tensor GroupNorm::operator()(const Tensor& x) const {
  return group_norm(x, groups, weight, bias, epsilon);
}

}  // namespace espalier::nn
