#pragma once

#include "core/workspace.h"
#include "ops/int8_product.h"

namespace espalier {

/// Checks what does not depend on whether it is a linear layer or a convolution: types, scales, a bias and
/// scales of `outputs` elements, `products` a sum, and a residual of the shape and strides of `y`, whose type
/// is the result's.
void check_int8_product(std::string_view name, Inputs inputs, const Int8Options& options, int64_t outputs,
                        int64_t products, const OutputSpec& y);

/// How sums become results: the numbers of Int8Options' definition.
struct Int8Finish {
  float *multiplier, *shift;  ///< by output channel, and 0 behind the last
  float residual_multiplier = 0;
  int32_t residual_zero_point = 0;
  float low = 0, high = 0;  ///< bounds before rounding
  int32_t zero_point = 0;   ///< added after rounding

  /// With room for so many channels. Throws ValueError, on behalf of `name`, where scales or biases, which
  /// are read here, do not give finite numbers.
  Int8Finish(std::string_view name, const Int8Options& options, const Tensor& scales, const Tensor& bias,
             int64_t room, Workspace& work);

  /// Writes the result of one sum to element `place` of `y`, as `residual` has it, which is null where there
  /// is none. For the plain loops.
  void put(int32_t sum, int64_t channel, const uint8_t* residual, int64_t place, const Tensor& y) const;

 private:
  void set_channels(std::string_view name, const Int8Options& options, double unit, const Tensor& scales,
                    const Tensor& bias, int64_t room);
};

}  // namespace espalier
