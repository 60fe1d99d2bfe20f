#include <utility>

#include "core/philox.h"
#include "data/shuffle_internal.h"

namespace espalier::data {

void shuffle(std::span<int64_t> items, uint64_t seed, uint64_t number) {
  for (uint64_t left = items.size(); left > 1; --left) {
    // The 64-bit word's remainder favours no place by more than left / 2^64. An order's numbers start 2^32
    // blocks behind those of the one before.
    const uint64_t place = philox_word64(seed, number << 32, left) % left;
    std::swap(items[left - 1], items[place]);
  }
}

}  // namespace espalier::data
