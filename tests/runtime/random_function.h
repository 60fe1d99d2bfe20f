#pragma once

#include <cstdint>
#include <vector>

#include "core/tensor.h"

namespace espalier::test {

/// Plain code made at random: some ten to thirty operations on matrices, norms, conversions, views, changes
/// in place through views and of a state, random numbers and repeated and useless work among them. The same
/// seed does the same.
std::vector<Tensor> random_function(uint64_t seed, const Tensor& input, const Tensor& state);

}  // namespace espalier::test
