#include "io/utf8.h"

#include <array>
#include <cstdio>

#include "core/error.h"

namespace espalier::io {
namespace {

constexpr char32_t kFirstSurrogate = 0xD800, kLastSurrogate = 0xDFFF, kLast = 0x10FFFF;

[[noreturn]] void fail(std::string_view text, size_t at, std::string_view name) {
  std::array<char, 8> byte{};
  std::snprintf(byte.data(), byte.size(), "0x%02x", static_cast<unsigned char>(text[at]));
  throw FormatError(name, "is not UTF-8: byte " + std::to_string(at) + ", " + byte.data() +
                              ", begins no character; convert it to UTF-8");
}

}  // namespace

char32_t next_code_point(std::string_view text, size_t& at, std::string_view name) {
  const auto first = static_cast<unsigned char>(text[at]);
  if (first < 0x80) {
    ++at;
    return first;
  }
  const size_t length = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
  // 0x80 to 0xBF go on with a character, and what lies above 0xF4 occurs nowhere.
  if (first < 0xC0 || first > 0xF4 || text.size() - at < length) fail(text, at, name);
  char32_t code_point = first & (0x7Fu >> length);
  for (size_t i = 1; i < length; ++i) {
    const auto byte = static_cast<unsigned char>(text[at + i]);
    if ((byte & 0xC0) != 0x80) fail(text, at, name);
    code_point = code_point << 6 | (byte & 0x3Fu);
  }
  const bool overlong = code_point < (length == 4 ? 0x10000u : length == 3 ? 0x800u : 0x80u);
  const bool surrogate = code_point >= kFirstSurrogate && code_point <= kLastSurrogate;
  if (overlong || surrogate || code_point > kLast) fail(text, at, name);
  at += length;
  return code_point;
}

void check_utf8(std::string_view text, std::string_view name) {
  for (size_t at = 0; at < text.size();) next_code_point(text, at, name);
}

std::string to_utf8(char32_t c) {
  const auto tail = [c](int shift) { return static_cast<char>(0x80 | (c >> shift & 0x3F)); };
  if (c < 0x80) return {static_cast<char>(c)};
  if (c < 0x800) return {static_cast<char>(0xC0 | c >> 6), tail(0)};
  if ((c >= kFirstSurrogate && c <= kLastSurrogate) || c > kLast)
    throw ValueError("to_utf8", std::to_string(static_cast<uint32_t>(c)) + " is no Unicode character");
  if (c < 0x10000) return {static_cast<char>(0xE0 | c >> 12), tail(6), tail(0)};
  return {static_cast<char>(0xF0 | c >> 18), tail(12), tail(6), tail(0)};
}

}  // namespace espalier::io
