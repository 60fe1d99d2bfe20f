#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>

#include <nlohmann/json.hpp>
#include <zlib.h>

#include "core/error.h"
#include "io/checkpoint_manifest_internal.h"

namespace espalier::io {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::string_view kFormat = "espalier checkpoint";
constexpr int kVersion = 1;
constexpr std::string_view kOwnSum = "manifest_crc32", kNoSum = "00000000";

std::string hex(uint32_t sum) {
  std::string text(8, '0');
  for (auto digit = text.rbegin(); digit != text.rend(); ++digit, sum >>= 4)
    *digit = "0123456789abcdef"[sum & 15];
  return text;
}

uint32_t from_hex(const std::string& text) {
  uint32_t sum = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), sum, 16);
  if (text.size() != 8 || error != std::errc() || end != text.data() + text.size())
    throw std::invalid_argument("'" + text + "' is no checksum");
  return sum;
}

uint32_t sum_of_text(std::string_view text) {
  return crc32_of({reinterpret_cast<const unsigned char*>(text.data()), text.size()});
}

/// Compares the text with its own checksum, which stands in it.
void check_own_sum(std::string_view text, const Json& json) {
  const auto sum = json.at(kOwnSum).get<std::string>();
  const size_t at = text.rfind(sum);
  if (at == text.npos) throw std::invalid_argument("its checksum is not written plainly");
  std::string zeroed(text);
  zeroed.replace(at, sum.size(), kNoSum);
  if (hex(sum_of_text(zeroed)) != sum) throw std::invalid_argument("its checksum is not that of its content");
}

Manifest read_json(std::string_view text) {
  const Json json = Json::parse(text);
  if (json.at("format").get<std::string>() != kFormat)
    throw std::invalid_argument("its format is '" + json.at("format").get<std::string>() + "'");
  const auto version = json.at("version").get<int64_t>();
  if (version > kVersion) {
    throw std::invalid_argument("it has version " + std::to_string(version) + "; this program reads up to " +
                                std::to_string(kVersion) + ", a later one may read it");
  }
  check_own_sum(text, json);
  Manifest manifest;
  manifest.step = json.at("step").get<int64_t>();
  if (manifest.step < 0)
    throw std::invalid_argument("step " + std::to_string(manifest.step) + " is negative");
  for (const auto& [name, value] : json.at("metrics").items())
    manifest.metrics[name] = value.is_null() ? std::numeric_limits<double>::quiet_NaN() : value.get<double>();
  for (const auto& [name, value] : json.at("notes").items()) manifest.notes[name] = value.get<std::string>();
  for (const auto& [part, files] : json.at("parts").items()) {
    if (!is_part_name(part)) throw std::invalid_argument("'" + part + "' is no part's name");
    std::vector<ManifestFile>& list = manifest.parts[part];
    for (const Json& file : files) {
      list.push_back({file.at("file").get<std::string>(), file.at("bytes").get<uint64_t>(),
                      from_hex(file.at("crc32").get<std::string>())});
      if (list.back().name != checkpoint_file_name(part, list.size() - 1))
        throw std::invalid_argument("'" + list.back().name + "' is no name of a file of part " + part);
    }
  }
  return manifest;
}

}  // namespace

std::string manifest_text(const Manifest& manifest, const std::string& where) {
  Json json{{"format", kFormat}, {"version", kVersion}, {"step", manifest.step}};
  json["metrics"] = Json::object();
  for (const auto& [name, value] : manifest.metrics) json["metrics"][name] = value;  // null where not finite
  json["notes"] = manifest.notes;
  json["parts"] = Json::object();
  for (const auto& [part, files] : manifest.parts) {
    Json& list = json["parts"][part] = Json::array();
    for (const ManifestFile& file : files)
      list.push_back({{"file", file.name}, {"bytes", file.bytes}, {"crc32", hex(file.crc32)}});
  }
  json[kOwnSum] = kNoSum;
  std::string text;
  try {
    text = json.dump(1) + "\n";
  } catch (const nlohmann::json::exception&) {
    throw ValueError(where, "a note or the name of a metric is not valid UTF-8");
  }
  text.replace(text.rfind(kNoSum), kNoSum.size(), hex(sum_of_text(text)));
  return text;
}

Manifest parse_manifest(std::string_view text, const std::string& where) {
  try {
    return read_json(text);
  } catch (const nlohmann::json::exception&) {
    throw FormatError(where, "is no manifest of a checkpoint, or damaged");
  } catch (const std::invalid_argument& error) {
    throw FormatError(where, std::string("is no manifest of a checkpoint: ") + error.what());
  }
}

uint32_t crc32_of(std::span<const unsigned char> bytes) {
  return static_cast<uint32_t>(::crc32_z(0, bytes.data(), bytes.size()));
}

bool is_part_name(std::string_view name) {
  const auto is_allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
  };
  return !name.empty() && std::all_of(name.begin(), name.end(), is_allowed);
}

std::string checkpoint_file_name(const std::string& part, size_t index) {
  return part + (index > 0 ? "." + std::to_string(index) : "") + ".safetensors";
}

}  // namespace espalier::io
