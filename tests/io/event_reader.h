#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <map>
#include <set>
#include <stdexcept>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "io/crc32c_internal.h"

namespace espalier::test {

/// The fields of a message in protobuf's wire format, by number: numbers as their 64 bits, the rest as bytes.
struct Message {
  std::map<uint64_t, std::vector<uint64_t>> numbers;
  std::map<uint64_t, std::vector<std::string>> bytes;

  explicit Message(const std::string& text) {
    size_t at = 0;
    const auto varint = [&] {
      uint64_t value = 0;
      for (int shift = 0; shift < 64; shift += 7) {
        const auto byte = static_cast<unsigned char>(text.at(at++));
        value |= uint64_t{byte & 0x7fu} << shift;
        if (byte < 0x80) return value;
      }
      ADD_FAILURE() << "a varint does not end";
      return value;
    };
    const auto fixed = [&](size_t size) {
      uint64_t value = 0;
      for (size_t i = 0; i < size; ++i)
        value |= uint64_t{static_cast<unsigned char>(text.at(at++))} << (8 * i);
      return value;
    };
    while (at < text.size()) {
      const uint64_t key = varint(), field = key >> 3;
      switch (key & 7) {
        case 0:
          numbers[field].push_back(varint());
          break;
        case 1:
          numbers[field].push_back(fixed(8));
          break;
        case 5:
          numbers[field].push_back(fixed(4));
          break;
        case 2: {
          const uint64_t size = varint();
          if (size > text.size() - at) throw std::out_of_range("a field goes beyond its message");
          bytes[field].push_back(text.substr(at, size));
          at += size;
          break;
        }
        default:
          throw std::out_of_range("unknown wire type");
      }
    }
  }

  /// The only value of a field, which is there.
  uint64_t number(uint64_t field) const {
    EXPECT_EQ(numbers.at(field).size(), 1u) << field;
    return numbers.at(field).at(0);
  }
  double f64(uint64_t field) const { return std::bit_cast<double>(number(field)); }
  float f32(uint64_t field) const { return std::bit_cast<float>(static_cast<uint32_t>(number(field))); }
  const std::string& text(uint64_t field) const {
    EXPECT_EQ(bytes.at(field).size(), 1u) << field;
    return bytes.at(field).at(0);
  }
  Message message(uint64_t field) const { return Message(text(field)); }
  std::vector<double> f64s(uint64_t field) const {
    std::vector<double> values(text(field).size() / sizeof(double));
    std::memcpy(values.data(), text(field).data(), values.size() * sizeof(double));
    return values;
  }
};

inline std::string content_of(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

/// Whether a file's last record may be cut: by a crash or a full disk.
enum class End : uint8_t { whole, maybe_cut };

/// The messages in a file of TFRecord's records, whose sums are checked.
inline std::vector<Message> records_of(const std::filesystem::path& path, End end = End::whole) {
  const std::string content = content_of(path);
  std::vector<Message> records;
  for (size_t at = 0; at < content.size();) {
    uint64_t size = 0;
    uint32_t length_sum = 0, data_sum = 0;
    const size_t rest = content.size() - at;
    if (rest >= 12) {
      std::memcpy(&size, &content[at], 8);
      std::memcpy(&length_sum, &content[at + 8], 4);
      EXPECT_EQ(length_sum, io::masked_crc32c(content.substr(at, 8)));
    }
    if (rest < 16 || size > rest - 16) {
      if (end == End::maybe_cut) break;
      throw std::out_of_range("a record is cut");
    }
    const std::string data = content.substr(at + 12, size);
    std::memcpy(&data_sum, &content[at + 12 + size], 4);
    EXPECT_EQ(data_sum, io::masked_crc32c(data));
    records.emplace_back(data);
    at += 16 + size;
  }
  return records;
}

using Curve = std::map<int64_t, float>;

/// What TensorBoard shows of the event files of a folder: the value at each step, by tag. A start in the
/// session log takes away what came before from its step on. The test fails where a step then comes twice.
inline std::map<std::string, Curve> curves_of(const std::filesystem::path& folder) {
  constexpr uint64_t kStep = 2, kSummary = 5, kSessionLog = 7, kValue = 1, kTag = 1, kSimpleValue = 2;
  std::set<std::filesystem::path> files;  // read in the order of their names
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (entry.path().filename().string().starts_with("events.out.tfevents.")) files.insert(entry.path());
  }
  std::map<std::string, Curve> curves;
  for (const std::filesystem::path& file : files) {
    for (const Message& event : records_of(file, End::maybe_cut)) {
      const auto step = static_cast<int64_t>(event.number(kStep));
      if (event.bytes.contains(kSessionLog)) {
        for (auto& [tag, curve] : curves) curve.erase(curve.lower_bound(step), curve.end());
      }
      if (!event.bytes.contains(kSummary)) continue;
      const Message value = event.message(kSummary).message(kValue);
      if (!value.numbers.contains(kSimpleValue)) continue;
      EXPECT_TRUE(curves[value.text(kTag)].emplace(step, value.f32(kSimpleValue)).second)
          << value.text(kTag) << " twice at step " << step;
    }
  }
  std::erase_if(curves, [](const auto& entry) { return entry.second.empty(); });
  return curves;
}

}  // namespace espalier::test
