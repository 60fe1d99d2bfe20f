#pragma once

#include <cstdint>
#include <random>
#include <utility>
#include <vector>

#include "core/tensor.h"

namespace espalier::test {

/// The tensors that a function made at random has to go on with; the first is the state. The same seed gives
/// the same draws.
class RandomPool {
 public:
  RandomPool(uint64_t seed, const Tensor& input, const Tensor& state) : from_(seed), tensors_{state, input} {}

  const Tensor& state() const { return tensors_[0]; }
  const Tensor& any() { return tensors_[below(tensors_.size())]; }
  void keep(Tensor tensor) { tensors_.push_back(std::move(tensor)); }

  /// One to three of them.
  std::vector<Tensor> results() {
    std::vector<Tensor> all;
    for (uint64_t i = below(3) + 1; i > 0; --i) all.push_back(any());
    return all;
  }

  uint64_t below(uint64_t limit) { return from_() % limit; }

 private:
  std::mt19937_64 from_;
  std::vector<Tensor> tensors_;
};

}  // namespace espalier::test
