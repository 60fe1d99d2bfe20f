#pragma once

#include <algorithm>
#include <cmath>

#include "ops/int8_product.h"
#include "tests/support/op_test.h"

namespace espalier::test {

/// The result of an exact sum as Int8Options defines it. `residual` is null where there is none.
inline double int8_result(const Int8Options& o, double sum, double scale, double bias,
                          const double* residual) {
  const bool bytes = o.output_dtype == Dtype::u8;
  const double unit = bytes ? o.output.scale : 1;
  const auto zero_point = static_cast<float>(bytes ? o.output.zero_point : 0);
  float y = static_cast<float>(sum) * static_cast<float>(o.input.scale * scale / unit);
  y += static_cast<float>(bias / unit);
  if (residual) {
    y += static_cast<float>(*residual - static_cast<double>(o.residual.zero_point)) *
         static_cast<float>(o.residual.scale / unit);
  }
  if (o.relu) y = std::max(y, 0.0f);
  return bytes ? std::nearbyint(std::clamp(y, -zero_point, 255 - zero_point)) + zero_point : y;
}

}  // namespace espalier::test
