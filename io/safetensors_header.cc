#include <algorithm>
#include <array>
#include <optional>
#include <set>
#include <utility>

#include <nlohmann/json.hpp>

#include "core/error.h"
#include "io/safetensors_header_internal.h"

namespace espalier::io {
namespace {

constexpr std::array<std::string_view, kDtypeCount> kTypeNames = {"F64",     "F32",  "F16", "BF16", "F8_E4M3",
                                                                  "F8_E5M2", "I8",   "U8",  "I16",  "I32",
                                                                  "I64",     "BOOL", "U16", "U32",  "U64"};

std::optional<Dtype> type_of(std::string_view text) {
  const auto found = std::find(kTypeNames.begin(), kTypeNames.end(), text);
  if (found == kTypeNames.end()) return std::nullopt;
  return static_cast<Dtype>(found - kTypeNames.begin());
}

/// Takes the header's events from the JSON parser one by one, so that nothing is built but what the format
/// knows, and a name that occurs twice is seen.
class HeaderReader {
 public:
  HeaderReader(std::string file, SafetensorsHeader& header) : file_(std::move(file)), header_(header) {}

  bool start_object(size_t) {
    if (state_ == State::before) return move_to(State::top);
    if (state_ == State::top_value) {
      if (key_ == "__metadata__") return move_to(State::metadata);
      entry_ = {};
      entry_.name = key_;
      fields_ = 0;
      return move_to(State::entry);
    }
    return unexpected("an object");
  }

  bool end_object() {
    if (state_ == State::metadata) return move_to(State::top);
    if (state_ == State::entry) {
      if (fields_ != 7) fail("tensor '" + entry_.name + "' lacks its dtype, shape or data_offsets");
      header_.entries.push_back(std::move(entry_));
      return move_to(State::top);
    }
    return move_to(State::after);
  }

  bool key(std::string& name) {
    if (state_ == State::top) {
      if (!names_.insert(name).second) fail("name '" + name + "' occurs twice");
      key_ = name;
      return move_to(State::top_value);
    }
    if (state_ == State::metadata) {
      if (header_.metadata.contains(name)) fail("metadata '" + name + "' occurs twice");
      key_ = name;
      return move_to(State::metadata_value);
    }
    constexpr std::array<std::pair<std::string_view, State>, 3> kFields = {
        {{"dtype", State::dtype}, {"shape", State::shape}, {"data_offsets", State::offsets}}};
    for (unsigned i = 0; i < kFields.size(); ++i) {
      if (name != kFields[i].first) continue;
      if (fields_ & (1u << i)) fail("tensor '" + entry_.name + "' has two fields '" + name + "'");
      fields_ |= 1u << i;
      return move_to(kFields[i].second);
    }
    return fail("tensor '" + entry_.name + "' has an unknown field '" + name + "'");
  }

  bool string(std::string& text) {
    if (state_ == State::metadata_value) {
      header_.metadata[key_] = text;
      return move_to(State::metadata);
    }
    if (state_ != State::dtype) return unexpected("a string");
    const std::optional<Dtype> dtype = type_of(text);
    if (!dtype) fail("tensor '" + entry_.name + "' has the unknown type '" + text + "'");
    entry_.dtype = *dtype;
    return move_to(State::entry);
  }

  bool start_array(size_t) {
    numbers_ = 0;
    if (state_ == State::shape) return move_to(State::in_shape);
    if (state_ == State::offsets) return move_to(State::in_offsets);
    return unexpected("an array");
  }

  bool end_array() {
    if (state_ == State::in_offsets && numbers_ != 2)
      fail("tensor '" + entry_.name + "' needs two data_offsets");
    return move_to(State::entry);
  }

  bool number_unsigned(uint64_t value) {
    ++numbers_;
    if (state_ == State::in_shape) {
      if (numbers_ > kMaxRank) {
        fail("tensor '" + entry_.name + "' has more than " + std::to_string(kMaxRank) + " axes");
      }
      if (value > INT64_MAX) fail("tensor '" + entry_.name + "' has a size of " + std::to_string(value));
      entry_.shape.push_back(static_cast<int64_t>(value));
      return true;
    }
    if (state_ != State::in_offsets) return unexpected("a number");
    if (numbers_ > 2) fail("tensor '" + entry_.name + "' needs two data_offsets");
    (numbers_ == 1 ? entry_.begin : entry_.end) = value;
    return true;
  }

  bool null() { return unexpected("null"); }
  bool boolean(bool) { return unexpected("a bool"); }
  bool number_integer(int64_t) { return unexpected("a negative number"); }
  bool number_float(double, const std::string&) { return unexpected("a fraction"); }
  bool binary(std::vector<uint8_t>&) { return unexpected("binary data"); }
  bool parse_error(size_t position, const std::string&, const nlohmann::json::exception&) {
    return fail("the header is not JSON at its byte " + std::to_string(position));
  }

 private:
  enum class State {
    before,
    top,
    top_value,
    metadata,
    metadata_value,
    entry,
    dtype,
    shape,
    in_shape,
    offsets,
    in_offsets,
    after
  };

  bool move_to(State state) {
    state_ = state;
    return true;
  }

  [[noreturn]] bool fail(const std::string& message) const { throw FormatError(file_, message); }

  bool unexpected(const char* what) const {
    return fail(std::string("the header has ") + what + (key_.empty() ? "" : " at '" + key_ + "'") +
                " where the format has none");
  }

  const std::string file_;
  SafetensorsHeader& header_;
  State state_ = State::before;
  std::string key_;
  std::set<std::string> names_;
  SafetensorsEntry entry_;
  unsigned fields_ = 0;
  int numbers_ = 0;
};

void check_ranges(SafetensorsHeader& header, uint64_t data_size, const std::string& file) {
  std::sort(header.entries.begin(), header.entries.end(),
            [](const SafetensorsEntry& a, const SafetensorsEntry& b) {
              return std::pair(a.begin, a.end) < std::pair(b.begin, b.end);
            });
  uint64_t covered = 0;
  for (const SafetensorsEntry& entry : header.entries) {
    const std::string range = "tensor '" + entry.name + "' has the bytes " + std::to_string(entry.begin) +
                              " to " + std::to_string(entry.end);
    if (entry.begin > entry.end || entry.end > data_size) {
      throw FormatError(file,
                        range + " of " + std::to_string(data_size) + ": outside the file (is it cut short?)");
    }
    if (entry.begin != covered) {
      throw FormatError(file, range + (entry.begin < covered ? ", which overlap those of another"
                                                             : ", and nothing those before them"));
    }
    uint64_t bytes = 0;
    try {
      bytes = static_cast<uint64_t>(checked_count(entry.shape, file)) * size_of(entry.dtype);
    } catch (const ShapeError& error) {
      throw FormatError(file, "tensor '" + entry.name + "': " + error.message());
    }
    if (bytes != entry.end - entry.begin) {
      throw FormatError(file, range + ", but " + std::string(to_string(entry.dtype)) +
                                  to_string(entry.shape) + " takes " + std::to_string(bytes));
    }
    covered = entry.end;
  }
  if (covered != data_size) {
    throw FormatError(file, std::to_string(data_size - covered) + " bytes at the end belong to no tensor");
  }
}

}  // namespace

SafetensorsHeader parse_safetensors_header(std::string_view json, uint64_t data_size,
                                           const std::string& name) {
  SafetensorsHeader header;
  HeaderReader reader(name, header);
  if (!nlohmann::json::sax_parse(json, &reader)) throw FormatError(name, "the header is not JSON");
  check_ranges(header, data_size, name);
  return header;
}

std::string_view safetensors_type(Dtype dtype) {
  return kTypeNames[static_cast<size_t>(dtype)];
}

}  // namespace espalier::io
