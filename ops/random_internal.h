#pragma once

#include <atomic>
#include <cstdint>
#include <vector>

#include "core/operation.h"
#include "core/parallel.h"

namespace espalier {

/// Throws TypeError unless `inputs[i]` is a generator's state, i64[2].
void check_random_state(std::string_view name, Inputs inputs, size_t i);

/// A generator's state, and a copy of it from before a stretch of work drew from it.
struct DrawnFrom {
  Tensor state;
  Tensor before;
};

/// While it lives, takes note of each generator from which the calling thread asks for numbers
/// (Generator::state_on). Watches nest; each sees all.
class ESPALIER_API DrawWatch {
 public:
  DrawWatch() noexcept;
  ~DrawWatch();
  DrawWatch(const DrawWatch&) = delete;
  DrawWatch& operator=(const DrawWatch&) = delete;
  const std::vector<DrawnFrom>& drawn() const noexcept { return drawn_; }
  /// Tells the thread's watches of a draw to come.
  static void note(const Tensor& state);

 private:
  DrawWatch* const outer_;
  std::vector<DrawnFrom> drawn_;
};

/// A part of a generator's stream.
struct RandomPlace {
  uint64_t seed;
  uint64_t offset;
};

/// Reads a state or a place in host memory, without a change.
inline RandomPlace random_place(const Tensor& state) {
  const auto* words = static_cast<const int64_t*>(state.raw_data());
  return {static_cast<uint64_t>(words[0]), static_cast<uint64_t>(words[state.strides()[0]])};
}

/// Takes the next `blocks` Philox blocks of a stream for the caller alone. Its seed is the first number of
/// `state`, its offset the one `stride` behind it.
inline RandomPlace claim_random_blocks(int64_t* state, int64_t stride, uint64_t blocks) {
  std::atomic_ref<int64_t> offset(state[stride]);
  const int64_t first = offset.fetch_add(static_cast<int64_t>(blocks), std::memory_order_relaxed);
  return {static_cast<uint64_t>(state[0]), static_cast<uint64_t>(first)};
}
inline RandomPlace claim_random_blocks(const Tensor& state, uint64_t blocks) {
  return claim_random_blocks(static_cast<int64_t*>(state.raw_data()), state.strides()[0], blocks);
}

/// Words that are made at a time: 4 KiB, well inside the first-level cache.
inline constexpr int64_t kRandomTile = 1024;

/// Tiles of random words that are worth a thread: a word takes some 8 simple operations, 10 rounds of two
/// multiplications and six bit operations for 4 words on vectors of 16.
inline constexpr int64_t kRandomGrain = kSerialWork / (8 * kRandomTile);

/// Calls `body(first, count)` for tiles of at most kRandomTile of `elements`, on several threads.
template <class Body>
void for_each_random_tile(int64_t elements, Body&& body) {
  parallel_for(0, (elements + kRandomTile - 1) / kRandomTile, kRandomGrain, [&](int64_t begin, int64_t end) {
    for (int64_t tile = begin; tile < end; ++tile) {
      const int64_t first = tile * kRandomTile;
      body(first, std::min(kRandomTile, elements - first));
    }
  });
}

}  // namespace espalier
