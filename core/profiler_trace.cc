#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <map>

#include <unistd.h>

#include "core/error.h"
#include "core/profiler.h"
#include "core/profiler_internal.h"
#include "core/utf8_internal.h"

namespace espalier {
namespace {

// Microseconds with their thousandths, without going through a double.
std::string microseconds(int64_t ns) {
  std::array<char, 32> text;
  std::snprintf(text.data(), text.size(), "%lld.%03lld", static_cast<long long>(ns / 1000),
                static_cast<long long>(ns % 1000));
  return text.data();
}

[[noreturn]] void fail(const std::string& path, const char* doing) {
  throw IoError(path, std::string("cannot ") + doing + " the trace: " + std::strerror(errno));
}

}  // namespace

void detail::append_json_string(std::string& json, std::string_view text) {
  json += '"';
  while (!text.empty()) {
    const size_t length = detail::utf8_length(text);
    const char c = text[0];
    if (length == 0) {
      json += "\\ufffd";
    } else if (c == '"' || c == '\\') {
      json += {'\\', c};
    } else if (static_cast<unsigned char>(c) < 0x20) {
      constexpr std::string_view kHex = "0123456789abcdef";
      json += {'\\', 'u', '0', '0', kHex[static_cast<size_t>(c) >> 4], kHex[static_cast<size_t>(c) & 15]};
    } else {
      json += text.substr(0, length);
    }
    text.remove_prefix(std::max<size_t>(length, 1));
  }
  json += '"';
}

std::string profile_trace() {
  const detail::Recording recording = detail::copy_recording();
  const std::string process = std::to_string(getpid());
  std::string json =
      "{\"displayTimeUnit\":\"ns\",\"otherData\":{\"dropped\":" + std::to_string(recording.dropped) +
      "},\"traceEvents\":[";
  const char* separator = "\n";
  for (const detail::RecordedSpan& span : recording.spans) {
    json += separator;
    separator = ",\n";
    json += "{\"ph\":\"X\",\"name\":";
    detail::append_json_string(json, span.name);
    json += ",\"ts\":" + microseconds(span.start_ns) + ",\"dur\":" + microseconds(span.duration_ns) +
            ",\"pid\":" + process + ",\"tid\":" + std::to_string(span.thread);
    if (!span.arguments.empty()) json += ",\"args\":{" + span.arguments + "}";
    json += "}";
  }
  return json + "\n]}\n";
}

void write_profile_trace(const std::string& path) {
  const std::string json = profile_trace();
  const std::string temporary = path + ".tmp" + std::to_string(getpid());
  std::FILE* file = std::fopen(temporary.c_str(), "wb");
  if (file == nullptr) fail(path, "write");
  bool good = std::fwrite(json.data(), 1, json.size(), file) == json.size();
  good = std::fclose(file) == 0 && good;
  if (!good || std::rename(temporary.c_str(), path.c_str()) != 0) {
    const int reason = errno;
    std::remove(temporary.c_str());
    errno = reason;
    fail(path, good ? "rename" : "write");
  }
}

std::vector<ProfileRow> profile_summary() {
  const detail::Recording recording = detail::copy_recording();
  std::map<std::string_view, ProfileRow> rows;
  for (const detail::RecordedSpan& span : recording.spans) {
    ProfileRow& row = rows.try_emplace(span.name, ProfileRow{span.name, 0, 0, 0.0}).first->second;
    ++row.count;
    row.total_ns += span.duration_ns;
  }
  std::vector<ProfileRow> sorted;
  for (auto& [name, row] : rows) {
    row.share = recording.length_ns > 0
                    ? static_cast<double>(row.total_ns) / static_cast<double>(recording.length_ns)
                    : 0.0;
    sorted.push_back(std::move(row));
  }
  std::stable_sort(sorted.begin(), sorted.end(),
                   [](const ProfileRow& a, const ProfileRow& b) { return a.total_ns > b.total_ns; });
  return sorted;
}

std::string profile_table() {
  std::array<char, 128> line;
  std::snprintf(line.data(), line.size(), "%10s %12s %7s  %s\n", "count", "total ms", "share", "name");
  std::string table = line.data();
  for (const ProfileRow& row : profile_summary()) {
    std::snprintf(line.data(), line.size(), "%10lld %12.3f %6.1f%%  ", static_cast<long long>(row.count),
                  static_cast<double>(row.total_ns) * 1e-6, row.share * 100);
    table += line.data() + row.name + "\n";
  }
  const int64_t dropped = profile_dropped();
  if (dropped > 0) table += "(" + std::to_string(dropped) + " more spans were dropped)\n";
  return table;
}

}  // namespace espalier
