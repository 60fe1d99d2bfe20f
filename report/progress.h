#pragma once

#include <chrono>
#include <cstdint>
#include <ostream>
#include <string>
#include <string_view>

#include "core/export.h"

namespace espalier::report {

/// A line that shows how far long work is: label, bar, share, rate, what it is doing, time left. On a
/// terminal it is redrawn in place ten times a second; in a file or pipe it becomes a plain line at most
/// every five seconds. Not for use from several threads.
class ESPALIER_API Progress {
 public:
  /// `total` steps of work, on the standard error stream. Throws ValueError for a negative total.
  Progress(std::string label, int64_t total);
  /// On another stream; `terminal` says whether it can be redrawn.
  Progress(std::string label, int64_t total, std::ostream& out, bool terminal);
  /// Leaves the last state on a line of its own.
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  /// `done` steps are done; `note` says what is going on: `loss 0.123`.
  void update(int64_t done, std::string_view note = {});
  /// Whether the next update() will show: a note that is dear to make need not be made otherwise.
  bool due() const noexcept { return Clock::now() >= next_draw_; }
  /// `done` steps were done before this program began: they say nothing about its rate.
  void resume(int64_t done);

 private:
  using Clock = std::chrono::steady_clock;
  std::string line() const;
  void draw(bool last);

  std::string label_;
  int64_t total_;
  int64_t first_ = 0, done_ = 0;
  bool drawn_ = false;  ///< as it is now
  std::string note_;
  std::ostream& out_;
  bool terminal_;
  Clock::time_point start_ = Clock::now();
  Clock::time_point next_draw_ = start_;
};

/// `3.2 s`, `4 min 05 s`, `2 h 10 min`.
ESPALIER_API std::string format_duration(double seconds);

}  // namespace espalier::report
