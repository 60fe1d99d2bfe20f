#pragma once

#include <vector>

#include "data/examples.h"

namespace espalier::data {

/// Examples that know their numbers: inputs f32 [n, 2] of (number, 0), labels the numbers.
inline Examples numbered(int64_t n, int64_t first = 0) {
  std::vector<float> inputs(static_cast<size_t>(2 * n));
  std::vector<int64_t> labels(static_cast<size_t>(n));
  for (int64_t i = 0; i < n; ++i) {
    labels[static_cast<size_t>(i)] = first + i;
    inputs[static_cast<size_t>(2 * i)] = static_cast<float>(first + i);
  }
  return {from_values(inputs, {n, 2}), from_values(labels, {n})};
}

}  // namespace espalier::data
