#pragma once

#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/export.h"

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

/// Takes the fields of a message in that format one by one:
///
///   for (WireReader field(message, name); field.next();)
///     if (field.number() == 2) text = field.text();
///
/// Nothing is copied: the message must outlive what bytes() gives. What is asked for must be of the kind that
/// stands in the message; else, and for a message that is damaged, a FormatError is thrown in which `name`
/// stands for the file. Fields of one number may come several times.
class ESPALIER_API WireReader {
 public:
  WireReader(std::string_view message, std::string_view name) : rest_(message), name_(name) {}

  /// Moves to the next field; false at the end.
  bool next();
  unsigned number() const noexcept { return number_; }

  int64_t integer() const;
  float f32() const;
  std::string_view bytes() const;
  /// Bytes that must be UTF-8.
  std::string text() const;
  /// A field of a repeated number, or a packed one of all of them, behind those that are there.
  void integers(std::vector<int64_t>& to) const;
  void f32s(std::vector<float>& to) const;
  void f64s(std::vector<double>& to) const;

 private:
  enum class Kind : uint8_t { varint = 0, fixed64 = 1, bytes = 2, fixed32 = 5 };

  uint64_t take_varint(std::string_view& from) const;
  uint64_t take_fixed(std::string_view& from, size_t size) const;
  template <class T, class Bits>
  void take_fixed_list(Kind one, std::vector<T>& to) const;
  void expect(Kind kind, const char* what) const;
  [[noreturn]] void fail(const std::string& why) const;

  std::string_view rest_;
  std::string name_;
  unsigned number_ = 0;
  Kind kind_ = Kind::varint;
  uint64_t value_ = 0;  // of a number
  std::string_view bytes_;
};

}  // namespace espalier::io
