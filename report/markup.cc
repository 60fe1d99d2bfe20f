#include <charconv>
#include <cstdint>

#include "report/markup_internal.h"

namespace espalier::report {
namespace {

constexpr std::string_view kReplacement = "\xef\xbf\xbd";  // U+FFFD

struct Character {
  uint32_t code;
  size_t bytes;
  bool valid;
};

/// The first character of text that is not empty; a byte that begins none is one of its own.
Character first_character(std::string_view text) {
  const auto byte = [&](size_t i) { return static_cast<uint32_t>(static_cast<unsigned char>(text[i])); };
  const uint32_t lead = byte(0);
  if (lead < 0x80) return {lead, 1, true};
  const size_t bytes = lead >= 0xc2 && lead < 0xe0   ? 2
                       : lead >= 0xe0 && lead < 0xf0 ? 3
                       : lead < 0xf5                 ? 4
                                                     : 0;
  if (lead < 0xc2 || bytes == 0 || text.size() < bytes) return {lead, 1, false};
  uint32_t code = lead & (0x7f >> bytes);
  for (size_t i = 1; i < bytes; ++i) {
    if ((byte(i) & 0xc0) != 0x80) return {lead, 1, false};
    code = code << 6 | (byte(i) & 0x3f);
  }
  constexpr uint32_t kLeast[] = {0, 0, 0x80, 0x800, 0x10000};
  const bool surrogate = code >= 0xd800 && code < 0xe000;
  if (code < kLeast[bytes] || code > 0x10ffff || surrogate) return {lead, 1, false};
  return {code, bytes, true};
}

bool xml_allows(uint32_t code) {
  if (code < 0x20) return code == '\t' || code == '\n' || code == '\r';
  return code != 0x7f && code != 0xfffe && code != 0xffff;
}

/// Advances of DejaVu Sans, the widest of the usual fonts, rounded up by groups.
double advance(uint32_t code) {
  if (code < 0x80) {
    constexpr std::string_view kNarrow = " !'()*,-./:;I[]fijlrt|", kWide = "%@MWmw";
    const char c = static_cast<char>(code);
    if (kNarrow.find(c) != std::string_view::npos) return 0.41;
    if (kWide.find(c) != std::string_view::npos) return 1;
    return c >= 'A' && c <= 'Z' ? 0.79 : 0.64;
  }
  if (code == 0xb2 || code == 0xb3 || code == 0xb9 || (code >= 0x2070 && code < 0x2080)) return 0.45;
  return code < 0x2e80 ? 0.85 : 1.05;
}

}  // namespace

std::string escape(std::string_view text) {
  std::string escaped;
  escaped.reserve(text.size());
  while (!text.empty()) {
    const Character c = first_character(text);
    switch (c.valid && xml_allows(c.code) ? c.code : 0) {
      case 0:
        escaped += kReplacement;
        break;
      case '&':
        escaped += "&amp;";
        break;
      case '<':
        escaped += "&lt;";
        break;
      case '>':
        escaped += "&gt;";
        break;
      case '"':
        escaped += "&quot;";
        break;
      case '\'':
        escaped += "&#39;";
        break;
      default:
        escaped += text.substr(0, c.bytes);
    }
    text.remove_prefix(c.bytes);
  }
  return escaped;
}

std::string number(double value, int decimals) {
  char text[400];  // the largest double has 309 digits before its point
  const auto [end, error] =
      std::to_chars(text, text + sizeof text, value, std::chars_format::fixed, decimals);
  std::string digits(text, end);
  if (decimals > 0) {
    digits.resize(digits.find_last_not_of('0') + 1);
    if (digits.back() == '.') digits.pop_back();
  }
  return digits == "-0" ? "0" : digits;
}

double text_width(std::string_view text) {
  double width = 0;
  while (!text.empty()) {
    const Character c = first_character(text);
    width += advance(c.valid ? c.code : 0xfffd);
    text.remove_prefix(c.bytes);
  }
  return width;
}

std::string shorten(std::string_view text, double width) {
  if (text_width(text) <= width) return std::string(text);
  std::string kept;
  double left = width - 1;  // the ellipsis
  while (!text.empty()) {
    const Character c = first_character(text);
    left -= advance(c.valid ? c.code : 0xfffd);
    if (left < 0) break;
    kept += text.substr(0, c.bytes);
    text.remove_prefix(c.bytes);
  }
  return kept + "…";
}

}  // namespace espalier::report
