#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/export.h"

namespace espalier {

/// Starts a recording of spans on all threads and forgets the one before. At most `max_spans` are kept: each
/// takes about 100 bytes, plus what of its name and arguments is longer than 15 bytes (names are cut at 200
/// bytes, arguments at 2000); those beyond are counted as dropped. Throws ValueError if max_spans < 1. Any
/// thread may call it.
ESPALIER_API void start_profiler(int64_t max_spans = 1'000'000);

/// Ends the recording. Spans that are still open are not part of it. A warning is logged if spans were
/// dropped. Any thread may call it.
ESPALIER_API void stop_profiler();

/// Spans with one name.
struct ProfileRow {
  std::string name;
  int64_t count;
  int64_t total_ns;  ///< sum of durations; what ran inside a span counts for both
  double share;      ///< total_ns over the length of the recording; above 1 if threads overlap
};

/// The recording (until now, if it runs), by name, longest total first. Any thread may call it.
ESPALIER_API std::vector<ProfileRow> profile_summary();

/// The same as lines of text with a header, and a last line if spans were dropped.
ESPALIER_API std::string profile_table();

/// Spans that the recording had no room for.
ESPALIER_API int64_t profile_dropped();

/// The recording in the JSON of Chrome's trace viewer (chrome://tracing, ui.perfetto.dev): complete events,
/// times in microseconds from the start. ("Trace Event Format", Google, 2016.) Any thread may call it.
ESPALIER_API std::string profile_trace();

/// Writes profile_trace() under a temporary name in the same folder and renames it to `path`. Throws IoError
/// with the path.
ESPALIER_API void write_profile_trace(const std::string& path);

namespace detail {
// The number of the recording that runs; 0 if none does.
ESPALIER_API extern std::atomic<uint32_t> profiler_recording;
}  // namespace detail

/// Records the time from its construction to its destruction while the profiler runs; otherwise costs one
/// relaxed load. Spans of a thread nest as their scopes do. Any thread may make one; the name must outlive
/// it.
class Span {
 public:
  explicit Span(std::string_view name) noexcept
      : name_(name), recording_(detail::profiler_recording.load(std::memory_order_relaxed)) {
    if (recording_ != 0) [[unlikely]]
      begin();
  }
  ~Span() {
    if (recording_ != 0) [[unlikely]]
      end();
  }
  Span(const Span&) = delete;
  Span& operator=(const Span&) = delete;

  /// Whether it will be recorded: ask before making an argument's text.
  bool active() const noexcept { return recording_ != 0; }

  /// Adds `key: value` to what the viewer shows for the span, if active. Drops it where memory is exhausted.
  void argument(std::string_view key, std::string_view value) noexcept {
    if (recording_ != 0) [[unlikely]]
      add_argument(key, value);
  }

 private:
  ESPALIER_API void begin() noexcept;
  ESPALIER_API void end() noexcept;
  ESPALIER_API void add_argument(std::string_view key, std::string_view value) noexcept;

  std::string_view name_;
  int64_t start_ns_ = 0;
  std::unique_ptr<std::string> arguments_;  // JSON members
  uint32_t recording_;
};

}  // namespace espalier
