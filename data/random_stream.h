#pragma once

#include <cstdint>

#include "core/philox.h"

namespace espalier::data {

/// Random numbers for one batch, one after another. They depend on the seed, the epoch and the batch's number
/// alone, so that a batch is the same whoever makes it, and after a resume. Its Philox counters
/// (core/philox.h) lie apart from those of every stream that operations draw from. One thread at a time may
/// use it.
class RandomStream {
 public:
  RandomStream(uint64_t seed, uint64_t epoch, uint64_t batch) noexcept
      : seed_(seed), epoch_(static_cast<uint32_t>(epoch)), batch_(static_cast<uint32_t>(batch)) {}

  /// 32 random bits.
  uint32_t word() noexcept {
    const auto lane = static_cast<uint32_t>(drawn_ % 4);
    // The counter's last word is 0 in streams of operations.
    if (lane == 0) {
      block_ = philox({{static_cast<uint32_t>(drawn_ / 4), batch_, epoch_, 1}}, static_cast<uint32_t>(seed_),
                      static_cast<uint32_t>(seed_ >> 32));
    }
    ++drawn_;
    return block_.word[lane];
  }
  /// From [0, 1), a multiple of 2^-24.
  float uniform() noexcept { return philox_uniform(word()); }
  /// From [low, high).
  float uniform(float low, float high) noexcept { return low + (high - low) * uniform(); }
  /// From [0, bound), with a relative bias of at most bound / 2^32; 0 where the bound is 0.
  uint32_t below(uint32_t bound) noexcept { return philox_bounded(word(), bound); }

 private:
  uint64_t seed_;
  uint32_t epoch_, batch_;
  uint64_t drawn_ = 0;
  PhiloxBlock block_{};
};

}  // namespace espalier::data
