#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace espalier::io {

/// `size` bytes of an unsigned number, the lowest first.
template <class T>
void put_little_endian(T value, char* to) {
  for (size_t i = 0; i < sizeof(T); ++i) to[i] = static_cast<char>(value >> (8 * i) & 0xff);
}

/// Appends fields of a message in protobuf's wire format (https://protobuf.dev/programming-guides/encoding).
class WireWriter {
 public:
  explicit WireWriter(std::string& out) : out_(out) {}

  void integer(unsigned field, int64_t value) {
    key(field, 0);
    varint(static_cast<uint64_t>(value), out_.size());
  }
  void f64(unsigned field, double value) {
    key(field, 1);
    fixed(std::bit_cast<uint64_t>(value));
  }
  void f32(unsigned field, float value) {
    key(field, 5);
    fixed(std::bit_cast<uint32_t>(value));
  }
  void bytes(unsigned field, std::string_view value) {
    key(field, 2);
    varint(value.size(), out_.size());
    out_ += value;
  }
  /// A repeated field of doubles, packed.
  void f64s(unsigned field, std::span<const double> values) {
    key(field, 2);
    varint(values.size() * sizeof(double), out_.size());
    for (const double value : values) fixed(std::bit_cast<uint64_t>(value));
  }
  /// A message inside this one; `fill` appends its fields.
  template <class Fill>
  void message(unsigned field, Fill&& fill) {
    key(field, 2);
    const size_t start = out_.size();
    fill();
    varint(out_.size() - start, start);
  }

 private:
  void key(unsigned field, unsigned type) { varint(field << 3 | type, out_.size()); }

  void varint(uint64_t value, size_t at) {
    std::array<char, 10> bytes{};
    size_t count = 0;
    for (; value >= 0x80; value >>= 7) bytes[count++] = static_cast<char>(value | 0x80);
    bytes[count++] = static_cast<char>(value);
    out_.insert(at, bytes.data(), count);
  }
  template <class T>
  void fixed(T value) {
    std::array<char, sizeof(T)> bytes;
    put_little_endian(value, bytes.data());
    out_.append(bytes.data(), bytes.size());
  }

  std::string& out_;
};

}  // namespace espalier::io
