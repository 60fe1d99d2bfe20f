#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace espalier::test {

/// The checksum of gzip and zip, bit by bit.
inline uint32_t crc32(std::span<const unsigned char> bytes) {
  uint32_t rest = ~0U;
  for (const unsigned char byte : bytes) {
    rest ^= byte;
    for (int bit = 0; bit < 8; ++bit) rest = rest >> 1 ^ (rest & 1 ? 0xedb88320U : 0U);
  }
  return ~rest;
}

/// Appends the low `size` bytes of a number, lowest first.
inline void append_number(std::vector<unsigned char>& bytes, uint64_t number, size_t size) {
  for (; size > 0; --size, number >>= 8) bytes.push_back(static_cast<unsigned char>(number));
}

}  // namespace espalier::test
