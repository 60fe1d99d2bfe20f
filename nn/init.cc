#include "nn/init.h"

#include <algorithm>
#include <cmath>

#include "core/door.h"

namespace espalier::nn {

Tensor uniform_by_fan_in(const Shape& shape, int64_t fan_in, const Generator& from) {
  const NoGrad no_grad;
  const double bound = 1 / std::sqrt(static_cast<double>(std::max<int64_t>(fan_in, 1)));
  return uniform_(empty(shape), -bound, bound, from);
}

Tensor kaiming_normal(const Shape& shape, int64_t fan_in, const Generator& from) {
  return normal_values(shape, std::sqrt(2 / static_cast<double>(std::max<int64_t>(fan_in, 1))), from);
}

Tensor normal_values(const Shape& shape, double deviation, const Generator& from) {
  const NoGrad no_grad;
  return normal_(empty(shape), 0, deviation, from);
}

}  // namespace espalier::nn
