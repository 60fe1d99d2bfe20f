#pragma once

#include <cstdint>
#include <span>

#include "core/export.h"

namespace espalier {

// Random numbers without a state: word i of the stream (seed, offset) is lane i % 4 of the Philox block whose
// counter is offset + i / 4, so any thread or device may make any part of a stream, and all get the same
// bits. A consumer of n elements moves the offset on by the blocks that it used (philox_blocks). The
// functions of this header that work on one element are constexpr and call nothing, so they can be compiled
// for a GPU as they are.

/// Four random words: the output of the generator for one counter value.
struct PhiloxBlock {
  uint32_t word[4];
  friend constexpr bool operator==(const PhiloxBlock&, const PhiloxBlock&) = default;
};

namespace detail {

// Multipliers and Weyl increments of Philox 4x32 (Salmon et al. 2011, table 2 and section 4; Random123's
// philox.h).
inline constexpr uint32_t kPhiloxMultiplier0 = 0xD2511F53;
inline constexpr uint32_t kPhiloxMultiplier1 = 0xCD9E8D57;
inline constexpr uint32_t kPhiloxWeyl0 = 0x9E3779B9;
inline constexpr uint32_t kPhiloxWeyl1 = 0xBB67AE85;
inline constexpr int kPhiloxRounds = 10;

}  // namespace detail

/// Philox 4x32-10 of J. Salmon, M. Moraes, R. Dror, D. Shaw, "Parallel random numbers: as easy as 1, 2, 3",
/// SC 2011: a bijection of `counter` for each key. Passes BigCrush.
constexpr PhiloxBlock philox(PhiloxBlock counter, uint32_t key0, uint32_t key1) {
  for (int round = 0; round < detail::kPhiloxRounds; ++round) {
    const uint64_t product0 = uint64_t{detail::kPhiloxMultiplier0} * counter.word[0];
    const uint64_t product1 = uint64_t{detail::kPhiloxMultiplier1} * counter.word[2];
    counter = {
        {static_cast<uint32_t>(product1 >> 32) ^ counter.word[1] ^ key0, static_cast<uint32_t>(product1),
         static_cast<uint32_t>(product0 >> 32) ^ counter.word[3] ^ key1, static_cast<uint32_t>(product0)}};
    key0 += detail::kPhiloxWeyl0;
    key1 += detail::kPhiloxWeyl1;
  }
  return counter;
}

/// Block `index` of the stream of `seed`: the key is the seed, the low half of the counter the index, the
/// high half zero.
constexpr PhiloxBlock philox_block(uint64_t seed, uint64_t index) {
  return philox({{static_cast<uint32_t>(index), static_cast<uint32_t>(index >> 32), 0, 0}},
                static_cast<uint32_t>(seed), static_cast<uint32_t>(seed >> 32));
}

/// Word `element` of the stream (seed, offset).
constexpr uint32_t philox_word(uint64_t seed, uint64_t offset, uint64_t element) {
  return philox_block(seed, offset + element / 4).word[element % 4];
}

/// Two words, as one 64-bit number (first word low), of the stream (seed, offset): element i takes words 2i
/// and 2i + 1.
constexpr uint64_t philox_word64(uint64_t seed, uint64_t offset, uint64_t element) {
  const PhiloxBlock block = philox_block(seed, offset + element / 2);
  const uint64_t lane = element % 2 * 2;
  return block.word[lane] | uint64_t{block.word[lane + 1]} << 32;
}

/// Blocks that `elements` elements of `words` words each (1 or 2) take: by so much a consumer advances the
/// offset.
constexpr uint64_t philox_blocks(uint64_t elements, uint64_t words = 1) {
  const uint64_t in_a_block = 4 / words;
  return elements / in_a_block + (elements % in_a_block != 0 ? 1 : 0);
}

/// Uniform in [0, 1), a multiple of 2^-24: the upper 24 bits of a word. Exact.
constexpr float philox_uniform(uint32_t word) {
  return static_cast<float>(static_cast<int32_t>(word >> 8)) * 0x1p-24F;
}

/// Uniform in [0, 1), a multiple of 2^-53: the upper 53 bits of two words. Exact.
constexpr double philox_uniform(uint64_t words) {
  return static_cast<double>(static_cast<int64_t>(words >> 11)) * 0x1p-53;
}

/// Uniform in [0, bound) by the upper half of the product word * bound: a value's probability is off by less
/// than 2^-32, a relative bias of at most bound / 2^32, which is zero for powers of two. No rejection, so
/// that each element takes one word. `bound` 0 gives 0.
constexpr uint32_t philox_bounded(uint32_t word, uint32_t bound) {
  return static_cast<uint32_t>((uint64_t{word} * bound) >> 32);
}

/// The same from two words: relative bias at most bound / 2^64.
constexpr uint64_t philox_bounded(uint64_t words, uint64_t bound) {
  const uint64_t low = (words & 0xFFFFFFFF) * (bound & 0xFFFFFFFF);
  const uint64_t middle1 = (words >> 32) * (bound & 0xFFFFFFFF) + (low >> 32);
  const uint64_t middle2 = (words & 0xFFFFFFFF) * (bound >> 32) + (middle1 & 0xFFFFFFFF);
  return (words >> 32) * (bound >> 32) + (middle1 >> 32) + (middle2 >> 32);
}

/// out[i] = philox_word(seed, offset, first_element + i). Vectorised; single-threaded, any thread may call it
/// on its part of a stream.
ESPALIER_API void philox_fill(uint64_t seed, uint64_t offset, uint64_t first_element,
                              std::span<uint32_t> out);

/// out[i] = philox_uniform(philox_word(seed, offset, first_element + i)).
ESPALIER_API void philox_fill_uniform(uint64_t seed, uint64_t offset, uint64_t first_element,
                                      std::span<float> out);

/// out[i] = philox_uniform(philox_word64(seed, offset, first_element + i)): two elements a block.
ESPALIER_API void philox_fill_uniform(uint64_t seed, uint64_t offset, uint64_t first_element,
                                      std::span<double> out);

/// out[i] = philox_normal(seed, offset, first_element + i) of core/box_muller.h: mean 0, standard
/// deviation 1. Without AVX2 about ten times slower, because the same bits ask for a fused multiply-add.
ESPALIER_API void philox_fill_normal(uint64_t seed, uint64_t offset, uint64_t first_element,
                                     std::span<float> out);

}  // namespace espalier
