#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace espalier::detail {

struct RecordedSpan {
  std::string name;
  std::string arguments;  // JSON members
  int64_t start_ns;       // from the start of the recording
  int64_t duration_ns;
  int32_t thread;
};

struct Recording {
  std::vector<RecordedSpan> spans;
  int64_t dropped = 0;
  int64_t length_ns = 0;
};

/// A copy of what has been recorded.
Recording copy_recording();

/// Appends `text` as a JSON string with its quotes; bytes that are not UTF-8 become U+FFFD.
void append_json_string(std::string& json, std::string_view text);

}  // namespace espalier::detail
