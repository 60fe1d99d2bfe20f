#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace espalier::io {

/// CRC-32C (Castagnoli; RFC 3720, appendix B.4) of each byte value, bits reversed.
inline constexpr std::array<uint32_t, 256> kCrc32cTable = [] {
  std::array<uint32_t, 256> table{};
  for (uint32_t byte = 0; byte < 256; ++byte) {
    uint32_t rest = byte;
    for (int bit = 0; bit < 8; ++bit) rest = rest >> 1 ^ (rest & 1 ? 0x82f63b78 : 0);
    table[byte] = rest;
  }
  return table;
}();

constexpr uint32_t crc32c(std::string_view bytes) {
  uint32_t crc = 0xffffffff;
  for (const char c : bytes) crc = crc >> 8 ^ kCrc32cTable[(crc ^ static_cast<unsigned char>(c)) & 0xff];
  return ~crc;
}

/// As records of TFRecord hold it: turned and shifted, so that the sum of data that contain sums stays good.
constexpr uint32_t masked_crc32c(std::string_view bytes) {
  const uint32_t crc = crc32c(bytes);
  return (crc >> 15 | crc << 17) + 0xa282ead8;
}

}  // namespace espalier::io
