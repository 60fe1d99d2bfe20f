#include "io/wire_format.h"

#include "core/error.h"
#include "io/utf8.h"

namespace espalier::io {

bool WireReader::next() {
  if (rest_.empty()) return false;
  constexpr uint64_t kMostFields = (uint64_t{1} << 29) - 1;  // the format's bound
  const uint64_t key = take_varint(rest_);
  if (key >> 3 == 0 || key >> 3 > kMostFields) fail("has a field of number " + std::to_string(key >> 3));
  number_ = static_cast<unsigned>(key >> 3);
  kind_ = static_cast<Kind>(key & 7);
  switch (kind_) {
    case Kind::varint:
      value_ = take_varint(rest_);
      return true;
    case Kind::fixed64:
      value_ = take_fixed(rest_, 8);
      return true;
    case Kind::fixed32:
      value_ = take_fixed(rest_, 4);
      return true;
    case Kind::bytes: {
      const uint64_t size = take_varint(rest_);
      if (size > rest_.size()) {
        fail("has a field of " + std::to_string(size) + " bytes where " + std::to_string(rest_.size()) +
             " are left (is it cut short?)");
      }
      bytes_ = rest_.substr(0, size);
      rest_.remove_prefix(size);
      return true;
    }
  }
  fail("has a field of a kind that protobuf does not know");
}

int64_t WireReader::integer() const {
  expect(Kind::varint, "an integer");
  return static_cast<int64_t>(value_);
}

float WireReader::f32() const {
  expect(Kind::fixed32, "an f32");
  return std::bit_cast<float>(static_cast<uint32_t>(value_));
}

std::string_view WireReader::bytes() const {
  expect(Kind::bytes, "bytes");
  return bytes_;
}

std::string WireReader::text() const {
  const std::string_view text = bytes();
  check_utf8(text, name_);
  return std::string(text);
}

void WireReader::integers(std::vector<int64_t>& to) const {
  if (kind_ == Kind::varint) return to.push_back(integer());
  for (std::string_view rest = bytes(); !rest.empty();) to.push_back(static_cast<int64_t>(take_varint(rest)));
}

template <class T, class Bits>
void WireReader::take_fixed_list(Kind one, std::vector<T>& to) const {
  if (kind_ == one) return to.push_back(std::bit_cast<T>(static_cast<Bits>(value_)));
  for (std::string_view rest = bytes(); !rest.empty();)
    to.push_back(std::bit_cast<T>(static_cast<Bits>(take_fixed(rest, sizeof(T)))));
}

void WireReader::f32s(std::vector<float>& to) const {
  take_fixed_list<float, uint32_t>(Kind::fixed32, to);
}

void WireReader::f64s(std::vector<double>& to) const {
  take_fixed_list<double, uint64_t>(Kind::fixed64, to);
}

uint64_t WireReader::take_varint(std::string_view& from) const {
  uint64_t value = 0;
  for (unsigned shift = 0; shift < 64; shift += 7) {
    if (from.empty()) fail("ends inside a number (is it cut short?)");
    const auto byte = static_cast<unsigned char>(from.front());
    from.remove_prefix(1);
    value |= uint64_t{byte & 0x7fu} << shift;
    if (byte < 0x80) return value;
  }
  fail("has a number of more than 64 bits");
}

uint64_t WireReader::take_fixed(std::string_view& from, size_t size) const {
  if (from.size() < size) fail("ends inside a number (is it cut short?)");
  uint64_t value = 0;
  for (size_t i = 0; i < size; ++i) value |= uint64_t{static_cast<unsigned char>(from[i])} << (8 * i);
  from.remove_prefix(size);
  return value;
}

void WireReader::expect(Kind kind, const char* what) const {
  if (kind_ != kind) fail("has no " + std::string(what) + " in a field " + std::to_string(number_));
}

void WireReader::fail(const std::string& why) const {
  throw FormatError(name_, "is damaged, or no file of this format: it " + why);
}

}  // namespace espalier::io
