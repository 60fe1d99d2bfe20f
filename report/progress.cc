#include "report/progress.h"

#include <algorithm>
#include <cstdio>
#include <iostream>
#include <utility>

#include <unistd.h>

#include "core/error.h"

namespace espalier::report {
namespace {

constexpr int kBarWidth = 24;
constexpr auto kTerminalInterval = std::chrono::milliseconds(100);
constexpr auto kFileInterval = std::chrono::seconds(5);

std::string bar(double share) {
  // Eighths of a cell, from empty to full.
  constexpr const char* kParts[] = {" ", "▏", "▎", "▍", "▌", "▋", "▊", "▉", "█"};
  const int eighths = static_cast<int>(share * kBarWidth * 8);
  std::string text;
  for (int cell = 0; cell < kBarWidth; ++cell) text += kParts[std::clamp(eighths - cell * 8, 0, 8)];
  return text;
}

std::string format(const char* pattern, double value) {
  char text[64];
  std::snprintf(text, sizeof text, pattern, value);
  return text;
}

}  // namespace

std::string format_duration(double seconds) {
  if (seconds < 60) return format("%.1f s", seconds);
  const auto whole = static_cast<long>(seconds);
  char text[64];
  if (whole < 3600)
    std::snprintf(text, sizeof text, "%ld min %02ld s", whole / 60, whole % 60);
  else
    std::snprintf(text, sizeof text, "%ld h %02ld min", whole / 3600, whole / 60 % 60);
  return text;
}

Progress::Progress(std::string label, int64_t total)
    : Progress(std::move(label), total, std::cerr, ::isatty(STDERR_FILENO) == 1) {}

Progress::Progress(std::string label, int64_t total, std::ostream& out, bool terminal)
    : label_(std::move(label)), total_(total), out_(out), terminal_(terminal) {
  if (total < 0) throw ValueError("Progress", std::to_string(total) + " steps of work; expected at least 0");
}

Progress::~Progress() {
  if (terminal_ || !drawn_) draw(true);
}

void Progress::resume(int64_t done) {
  first_ = done_ = std::clamp<int64_t>(done, 0, total_);
}

void Progress::update(int64_t done, std::string_view note) {
  done_ = std::clamp<int64_t>(done, 0, total_);
  note_ = note;
  drawn_ = false;
  const Clock::time_point now = Clock::now();
  if (now < next_draw_) return;
  next_draw_ = now + (terminal_ ? Clock::duration(kTerminalInterval) : Clock::duration(kFileInterval));
  draw(false);
}

std::string Progress::line() const {
  const double seconds = std::chrono::duration<double>(Clock::now() - start_).count();
  const double share = total_ > 0 ? static_cast<double>(done_) / static_cast<double>(total_) : 1;
  const double rate = seconds > 0 ? static_cast<double>(done_ - first_) / seconds : 0;
  std::string text = label_ + " ▕" + bar(share) + "▏" + format("%3.0f %%", 100 * share) +
                     format(rate < 10 ? "  %.2g/s" : "  %.0f/s", rate);
  if (!note_.empty()) text += "  " + note_;
  if (done_ == total_)
    text += "  in " + format_duration(seconds);
  else if (rate > 0)
    text += "  " + format_duration(static_cast<double>(total_ - done_) / rate) + " left";
  return text;
}

void Progress::draw(bool last) {
  if (terminal_) {
    out_ << '\r' << line() << "\033[K";  // and clear what a longer line left behind
    if (last) out_ << '\n';
  } else {
    out_ << line() << '\n';
  }
  out_.flush();
  drawn_ = true;
}

}  // namespace espalier::report
