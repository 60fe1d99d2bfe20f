#pragma once

// What core/parallel.cc shares with the two ways to run a team: parallel_openmp.cc (release) and
// parallel_threads.cc (thread sanitizer, which cannot see OpenMP's barriers, or no OpenMP). CMake compiles
// one of the two.

#include <cstdint>
#include <exception>
#include <mutex>

#include "core/parallel.h"

namespace espalier::detail {

/// A call of parallel_for that is split.
class ParallelTask {
 public:
  ParallelTask(int64_t begin, int64_t end, int parts, int threads, RangeBody body);

  int parts() const { return parts_; }
  /// The caller's num_threads(), of which there may be more than parts.
  int threads() const { return threads_; }

  /// Runs one part on a thread of the team, with the caller's thread count. Keeps the first exception.
  void run(int part) noexcept;

  /// Runs one part and lets its exception pass.
  void run_or_throw(int part) const;

  /// After all parts: throws the exception that was kept.
  void rethrow();

 private:
  int64_t begin_;
  int64_t length_;  // of a short part
  int64_t longer_;  // so many parts at the front are one longer
  int parts_;
  int threads_;
  RangeBody body_;
  std::mutex mutex_;
  std::exception_ptr error_;
};

/// Runs every part once, on up to task.threads() threads including the caller's. One caller at a time.
void run_on_team(ParallelTask& task);

/// Threads of a team when neither the user nor ESPALIER_THREADS says.
int default_team_size();

}  // namespace espalier::detail
