#pragma once

#include <cstdint>
#include <span>

namespace espalier::data {

/// Puts `items` into an order that depends on `seed` and `number` alone (R. Fisher, F. Yates, 1938, in
/// R. Durstenfeld's form, Algorithm 235, 1964).
void shuffle(std::span<int64_t> items, uint64_t seed, uint64_t number);

}  // namespace espalier::data
