#pragma once

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "core/tensor.h"
#include "nn/state.h"

namespace espalier::test {

/// `name: f32[2, 3]` of each tensor; `*` marks buffers, and only parameters want gradients.
template <class M>
std::vector<std::string> contents(M& model) {
  std::vector<std::string> result;
  for (const nn::StateEntry& entry : nn::entries(model)) {
    const bool buffer = entry.kind == nn::Visitor::Kind::buffer;
    result.push_back(entry.name + (buffer ? "*: " : ": ") + describe(entry.tensor));
    EXPECT_EQ(entry.tensor.requires_grad(), !buffer) << entry.name;
  }
  return result;
}

/// Of the elements of an f32 tensor.
struct Moments {
  double least, largest, mean = 0, deviation = 0;
  double fourth = 0;  ///< over the variance squared: 3 where they are normal, 1.8 where uniform

  explicit Moments(const Tensor& tensor);
};

/// Uniform within the bound: fills the range to 2 %, and deviates by bound / sqrt(3).
void expect_uniform(const Tensor& tensor, double bound);

}  // namespace espalier::test
