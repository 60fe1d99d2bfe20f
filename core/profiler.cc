#include "core/profiler.h"

#include <algorithm>
#include <chrono>
#include <mutex>
#include <utility>

#include "core/error.h"
#include "core/log.h"
#include "core/profiler_internal.h"

namespace espalier {
namespace {

constexpr size_t kLongestName = 200;
constexpr size_t kLongestArguments = 2000;

int64_t now_ns() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

struct ProfilerState {
  std::mutex mutex;
  detail::Recording recording;
  uint32_t number = 0;  // of the recording
  bool running = false;
  int64_t limit = 0;
  int64_t start_ns = 0;
};

// Never destroyed: a span may end while the process exits.
ProfilerState& profiler_state() {
  static ProfilerState& instance = *new ProfilerState;
  return instance;
}

// Small numbers in order of appearance read better in a viewer than the system's.
int32_t thread_number() {
  static std::atomic<int32_t> last = 0;
  thread_local const int32_t number = ++last;
  return number;
}

}  // namespace

namespace detail {

constinit std::atomic<uint32_t> profiler_recording = 0;

Recording copy_recording() {
  ProfilerState& current = profiler_state();
  const std::lock_guard lock(current.mutex);
  Recording copy = current.recording;
  if (current.running) copy.length_ns = now_ns() - current.start_ns;
  return copy;
}

}  // namespace detail

void start_profiler(int64_t max_spans) {
  if (max_spans < 1) {
    throw ValueError("start_profiler", "max_spans must be at least 1, not " + std::to_string(max_spans));
  }
  ProfilerState& current = profiler_state();
  const std::lock_guard lock(current.mutex);
  current.recording = {};
  current.limit = max_spans;
  if (++current.number == 0) current.number = 1;  // 0 says that nothing is recorded
  current.running = true;
  current.start_ns = now_ns();
  detail::profiler_recording.store(current.number, std::memory_order_relaxed);
}

void stop_profiler() {
  ProfilerState& current = profiler_state();
  int64_t dropped = 0;
  int64_t limit = 0;
  {
    const std::lock_guard lock(current.mutex);
    if (!current.running) return;
    detail::profiler_recording.store(0, std::memory_order_relaxed);
    current.running = false;
    current.recording.length_ns = now_ns() - current.start_ns;
    dropped = current.recording.dropped;
    limit = current.limit;
  }
  if (dropped == 0) return;
  log_message(LogLevel::warning, "the profiler kept " + std::to_string(limit) + " spans and dropped " +
                                     std::to_string(dropped) + "; start_profiler takes a larger limit");
}

int64_t profile_dropped() {
  ProfilerState& current = profiler_state();
  const std::lock_guard lock(current.mutex);
  return current.recording.dropped;
}

void Span::begin() noexcept {
  start_ns_ = now_ns();
}

void Span::end() noexcept {
  const int64_t end_ns = now_ns();
  ProfilerState& current = profiler_state();
  const std::lock_guard lock(current.mutex);
  if (!current.running || current.number != recording_) return;
  detail::Recording& recording = current.recording;
  if (static_cast<int64_t>(recording.spans.size()) >= current.limit) {
    ++recording.dropped;
    return;
  }
  try {
    recording.spans.push_back({std::string(name_.substr(0, kLongestName)),
                               arguments_ == nullptr ? std::string() : std::move(*arguments_),
                               start_ns_ - current.start_ns, end_ns - start_ns_, thread_number()});
  } catch (...) {
    ++recording.dropped;  // no memory
  }
}

void Span::add_argument(std::string_view key, std::string_view value) noexcept {
  try {
    std::string member = arguments_ == nullptr || arguments_->empty() ? "" : ",";
    detail::append_json_string(member, key);
    member += ':';
    detail::append_json_string(member, value);
    if (arguments_ == nullptr) arguments_ = std::make_unique<std::string>();
    if (arguments_->size() + member.size() <= kLongestArguments) *arguments_ += member;
  } catch (...) {  // NOLINT(bugprone-empty-catch): no memory; the span goes without
  }
}

}  // namespace espalier
