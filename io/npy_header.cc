#include <array>
#include <bit>
#include <charconv>
#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>

#include "core/error.h"
#include "core/tensor.h"
#include "io/npy_header_internal.h"

namespace espalier::io {
namespace {

constexpr std::string_view kNpyMagic = "\x93NUMPY";
constexpr size_t kAlign = 64;  // of the data, as NumPy writes them
constexpr bool kLittle = std::endian::native == std::endian::little;

/// NumPy's kind and size of each type that both have.
constexpr std::array<std::pair<std::string_view, Dtype>, 12> kTypes = {{{"f8", Dtype::f64},
                                                                        {"f4", Dtype::f32},
                                                                        {"f2", Dtype::f16},
                                                                        {"i1", Dtype::i8},
                                                                        {"u1", Dtype::u8},
                                                                        {"i2", Dtype::i16},
                                                                        {"i4", Dtype::i32},
                                                                        {"i8", Dtype::i64},
                                                                        {"b1", Dtype::boolean},
                                                                        {"u2", Dtype::u16},
                                                                        {"u4", Dtype::u32},
                                                                        {"u8", Dtype::u64}}};

/// The dictionary of a header, a literal of Python:
/// {'descr': '<f8', 'fortran_order': False, 'shape': (3, 4), }, in any order and with any spaces.
class DictReader {
 public:
  DictReader(std::string_view text, const std::string& file, NpyHeader& header)
      : text_(text), file_(file), header_(header) {}

  void read() {
    expect('{');
    while (!take('}')) {
      const std::string_view key = string("a key");
      expect(':');
      if (key == "descr")
        once(0, key), descr();
      else if (key == "fortran_order")
        once(1, key), header_.fortran = boolean();
      else if (key == "shape")
        once(2, key), shape();
      else
        fail("the header has an unknown key '" + std::string(key) + "'");
      if (take(',')) continue;
      expect('}');
      break;
    }
    skip_spaces();
    if (at_ != text_.size()) fail("the header goes on after its dictionary");
    if (seen_ != 7) fail("the header needs the keys 'descr', 'fortran_order' and 'shape'");
  }

 private:
  [[noreturn]] void fail(const std::string& message) const { throw FormatError(file_, message); }
  [[noreturn]] void unexpected(const std::string& wanted) const {
    fail("the header is no dictionary of NumPy's: at its byte " + std::to_string(at_) + " there should be " +
         wanted);
  }

  void once(unsigned bit, std::string_view key) {
    if (seen_ & 1u << bit) fail("the header has '" + std::string(key) + "' twice");
    seen_ |= 1u << bit;
  }

  void skip_spaces() {
    while (at_ < text_.size() && (text_[at_] == ' ' || text_[at_] == '\n' || text_[at_] == '\t')) ++at_;
  }
  bool take(char c) {
    skip_spaces();
    if (at_ == text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  void expect(char c) {
    if (!take(c)) unexpected(std::string("'") + c + "'");
  }

  std::string_view string(const char* what) {
    skip_spaces();
    const char quote = at_ < text_.size() ? text_[at_] : '\0';
    if (quote != '\'' && quote != '"') unexpected(what);
    const size_t end = text_.find(quote, at_ + 1);
    if (end == std::string_view::npos) unexpected("the end of a string");
    const std::string_view found = text_.substr(at_ + 1, end - at_ - 1);
    at_ = end + 1;
    return found;
  }

  bool boolean() {
    skip_spaces();
    for (const auto& [word, value] : {std::pair<std::string_view, bool>{"True", true}, {"False", false}}) {
      if (!text_.substr(at_).starts_with(word)) continue;
      at_ += word.size();
      return value;
    }
    unexpected("True or False");
  }

  void descr() {
    skip_spaces();
    if (at_ < text_.size() && text_[at_] == '[') fail("holds structures; only arrays of numbers are read");
    const std::string_view type = string("a type");
    if (type.size() > 1 && type[1] == 'O')
      fail("holds Python objects, which are never unpickled; save numbers instead");
    const char order = type.empty() ? '\0' : type.front();
    for (const auto& [name, dtype] : kTypes) {
      if (type.empty() || type.substr(1) != name) continue;
      const bool one_byte = size_of(dtype) == 1;
      const bool known = order == '<' || order == '>' || order == '=' || (order == '|' && one_byte);
      if (!known) break;
      header_.dtype = dtype;
      header_.swapped = !one_byte && (order == (kLittle ? '>' : '<'));
      return;
    }
    fail("holds elements of the type '" + std::string(type) +
         "', which is none of '<f8', '<f4', '<f2', '<i8', ..., '|u1', '|b1'");
  }

  void shape() {
    expect('(');
    while (!take(')')) {
      skip_spaces();
      int64_t size = 0;
      const char* const first = text_.data() + at_;
      const auto [end, error] = std::from_chars(first, text_.data() + text_.size(), size);
      if (error != std::errc() || size < 0) unexpected("a size from 0 to 2^63 - 1");
      at_ += static_cast<size_t>(end - first);
      if (header_.shape.rank() == kMaxRank) fail("has more than " + std::to_string(kMaxRank) + " axes");
      header_.shape.push_back(size);
      static_cast<void>(take('L'));  // Python 2 wrote long numbers so
      if (take(',')) continue;
      expect(')');
      break;
    }
  }

  std::string_view text_;
  const std::string& file_;
  NpyHeader& header_;
  size_t at_ = 0;
  unsigned seen_ = 0;
};

}  // namespace

NpyHeader parse_npy_header(std::span<const unsigned char> bytes, const std::string& name) {
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  if (!text.starts_with(kNpyMagic)) throw FormatError(name, "does not begin as an npy file does");
  const size_t version_at = kNpyMagic.size(), length_at = version_at + 2;
  const unsigned version = bytes.size() > version_at ? bytes[version_at] : 0;
  if (version < 1 || version > 3)
    throw FormatError(name, "has version " + std::to_string(version) + " of the format; 1 to 3 are read");
  const size_t length_bytes = version == 1 ? 2 : 4;
  if (bytes.size() < length_at + length_bytes) throw FormatError(name, "ends inside its header");
  size_t length = 0;
  for (size_t i = 0; i < length_bytes; ++i) length |= size_t{bytes[length_at + i]} << (8 * i);
  NpyHeader header;
  header.data_begin = length_at + length_bytes + length;
  if (header.data_begin > bytes.size())
    throw FormatError(name, "claims a header of " + std::to_string(length) + " bytes, but has only " +
                                std::to_string(bytes.size() - length_at - length_bytes) +
                                " (is it cut short?)");
  DictReader(text.substr(length_at + length_bytes, length), name, header).read();

  uint64_t wanted = 0;
  try {
    wanted = static_cast<uint64_t>(checked_count(header.shape, name)) * size_of(header.dtype);
  } catch (const ShapeError& error) {
    throw FormatError(name, error.message());
  }
  const uint64_t present = bytes.size() - header.data_begin;
  const std::string what = std::string(to_string(header.dtype)) + to_string(header.shape);
  if (present < wanted)
    throw FormatError(name, what + " takes " + std::to_string(wanted) + " bytes, but there are " +
                                std::to_string(present) + " (is it cut short?)");
  if (present > wanted)
    throw FormatError(name, std::to_string(present - wanted) + " bytes follow the array " + what);
  return header;
}

std::string npy_header(const Shape& shape, Dtype dtype, const std::string& name) {
  std::optional<std::string> type;
  for (const auto& [text, known] : kTypes) {
    if (known != dtype) continue;
    type = size_of(dtype) == 1 ? "|" : kLittle ? "<" : ">";
    *type += text;
  }
  if (!type)
    throw TypeError(name, "NumPy has no " + std::string(to_string(dtype)) + "; cast the tensor to f32 first");
  std::string sizes;
  for (const int64_t size : shape) sizes += std::to_string(size) + ", ";
  if (shape.rank() > 1) sizes.resize(sizes.size() - 2);
  if (shape.rank() == 1) sizes.resize(sizes.size() - 1);  // (3,)
  std::string dict = "{'descr': '" + *type + "', 'fortran_order': False, 'shape': (" + sizes + "), }";
  const size_t fixed = kNpyMagic.size() + 4;
  const size_t whole = (fixed + dict.size() + 1 + kAlign - 1) / kAlign * kAlign;
  dict.resize(whole - fixed - 1, ' ');
  dict += '\n';
  std::string header(kNpyMagic);
  header += {'\1', '\0', static_cast<char>(dict.size() & 0xff), static_cast<char>(dict.size() >> 8)};
  return header + dict;
}

}  // namespace espalier::io
