#pragma once

#include <vector>

#include "ops/int8_product.h"

namespace espalier {

/// Checks what does not depend on whether it is a linear layer or a convolution: types, scales, a bias and
/// scales of `outputs` elements, `products` a sum, and a residual of the shape and strides of `y`, whose type
/// is the result's.
void check_int8_product(std::string_view name, Inputs inputs, const Int8Options& options, int64_t outputs,
                        int64_t products, const OutputSpec& y);

/// How sums become results: the numbers of Int8Options' definition.
struct Int8Finish {
  std::vector<float> multiplier, shift;  ///< by output channel
  float residual_multiplier = 0;
  int32_t residual_zero_point = 0;
  float low = 0, high = 0;  ///< bounds before rounding
  int32_t zero_point = 0;   ///< added after rounding

  /// Throws ValueError, on behalf of `name`, where scales or biases, which are read here, do not give finite
  /// numbers.
  Int8Finish(std::string_view name, const Int8Options& options, const Tensor& scales, const Tensor& bias);

  /// Writes the result of one sum to element `place` of `y`, as `residual`, where there is one, has it. For
  /// the plain loops.
  void put(int32_t sum, int64_t channel, const Tensor& residual, int64_t place, const Tensor& y) const;
};

}  // namespace espalier
