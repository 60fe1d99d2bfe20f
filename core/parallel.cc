#include "core/parallel.h"

#include <algorithm>
#include <atomic>
#include <charconv>
#include <cstdlib>
#include <cstring>
#include <string>

#include "core/error.h"
#include "core/parallel_internal.h"

namespace espalier {
namespace {

// 0: not set. A plain zero, so that reading it needs no guard for thread-local initialisation.
thread_local int this_thread_count = 0;

std::atomic<int> process_count = 0;
std::atomic<bool> team_busy = false;

void check(std::string_view where, int count) {
  if (count >= 1 && count <= kMaxThreads) return;
  throw ValueError(where, "a thread count must be from 1 to " + std::to_string(kMaxThreads) + ", not " +
                              std::to_string(count));
}

int count_from_environment() {
  const char* text = std::getenv("ESPALIER_THREADS");
  if (text == nullptr || *text == '\0') return std::clamp(detail::default_team_size(), 1, kMaxThreads);
  int count = 0;
  const char* end = text + std::strlen(text);
  const auto [rest, error] = std::from_chars(text, end, count);
  if (error != std::errc() || rest != end || count < 1 || count > kMaxThreads) {
    throw ValueError("ESPALIER_THREADS",
                     "'" + std::string(text) + "' is not a number from 1 to " + std::to_string(kMaxThreads));
  }
  return count;
}

// Gives a thread of the team the caller's count, so that a nested call splits alike on every thread.
class CountScope {
 public:
  explicit CountScope(int threads) : count_(this_thread_count) { this_thread_count = threads; }
  ~CountScope() { this_thread_count = count_; }
  CountScope(const CountScope&) = delete;
  CountScope& operator=(const CountScope&) = delete;

 private:
  int count_;
};

struct TeamRelease {
  TeamRelease() = default;
  ~TeamRelease() { team_busy.store(false, std::memory_order_release); }
  TeamRelease(const TeamRelease&) = delete;
  TeamRelease& operator=(const TeamRelease&) = delete;
};

}  // namespace

int num_threads() {
  if (this_thread_count != 0) return this_thread_count;
  const int count = process_count.load(std::memory_order_relaxed);
  if (count != 0) return count;
  static const int from_environment = count_from_environment();
  return from_environment;
}

void set_num_threads(int count) {
  check("set_num_threads", count);
  process_count.store(count, std::memory_order_relaxed);
}

ThreadCountGuard::ThreadCountGuard(int count) : previous_(this_thread_count) {
  check("ThreadCountGuard", count);
  this_thread_count = count;
}

ThreadCountGuard::~ThreadCountGuard() {
  this_thread_count = previous_;
}

namespace detail {

ParallelTask::ParallelTask(int64_t begin, int64_t end, int parts, int threads, RangeBody body)
    : begin_(begin),
      length_((end - begin) / parts),
      longer_((end - begin) % parts),
      parts_(parts),
      threads_(threads),
      body_(body) {}

void ParallelTask::run_or_throw(int part) const {
  const int64_t first = begin_ + part * length_ + std::min<int64_t>(part, longer_);
  body_.call(body_.body, first, first + length_ + (part < longer_ ? 1 : 0));
}

void ParallelTask::run(int part) noexcept {
  const CountScope scope(threads_);
  try {
    run_or_throw(part);
  } catch (...) {
    const std::lock_guard lock(mutex_);
    if (error_ == nullptr) error_ = std::current_exception();
  }
}

void ParallelTask::rethrow() {
  if (error_ != nullptr) std::rethrow_exception(error_);
}

void parallel_run(int64_t begin, int64_t end, int64_t grain, RangeBody body) {
  const int threads = num_threads();
  const int64_t useful = (end - begin - 1) / std::max<int64_t>(grain, 1) + 1;
  const int parts = static_cast<int>(std::min<int64_t>(threads, useful));
  if (parts == 1) {
    body.call(body.body, begin, end);
    return;
  }
  ParallelTask task(begin, end, parts, threads, body);
  // A call from inside a body finds the team busy, too.
  if (team_busy.exchange(true, std::memory_order_acquire)) {
    for (int part = 0; part < parts; ++part) task.run_or_throw(part);
    return;
  }
  {
    const TeamRelease release;
    run_on_team(task);
  }
  task.rethrow();
}

}  // namespace detail
}  // namespace espalier
