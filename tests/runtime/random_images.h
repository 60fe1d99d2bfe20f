#pragma once

#include <cstdint>
#include <vector>

#include "core/tensor.h"

namespace espalier::test {

/// As random_function(), of images: convolutions and their gradients, pooling, norms, changes in place, and
/// whatever changes layouts. `input` and `state` are [2, 16, 8, 8], `weight` is [16, 16, 3, 3].
std::vector<Tensor> random_image_function(uint64_t seed, const Tensor& input, const Tensor& weight,
                                          const Tensor& state);

}  // namespace espalier::test
