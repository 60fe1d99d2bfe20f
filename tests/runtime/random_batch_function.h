#pragma once

#include <cstdint>
#include <vector>

#include "core/tensor.h"

namespace espalier::test {

/// Plain code made at random, on examples f32 [N, 6] for any N and weights f32 [6, 6]: most of its operations
/// compute each example by itself, through reshapes and permutations as well; a few mix the examples, or
/// depend on where an example stands. Puts out f32 [N, 6]. The same seed does the same.
std::vector<Tensor> random_batch_function(uint64_t seed, const Tensor& examples, const Tensor& weights);

}  // namespace espalier::test
