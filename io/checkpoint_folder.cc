#include "io/checkpoint_folder.h"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cmath>
#include <string_view>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include "core/error.h"
#include "core/log.h"
#include "io/atomic_folder_internal.h"

namespace espalier::io {
namespace {

constexpr std::string_view kStepPrefix = "step-";
constexpr size_t kDigits = 9;  // so that names sort as steps do, up to a billion

std::optional<int64_t> step_of(const std::string& name) {
  if (!name.starts_with(kStepPrefix)) return {};
  int64_t step = 0;
  const char *begin = name.data() + kStepPrefix.size(), *end = name.data() + name.size();
  const auto [stop, error] = std::from_chars(begin, end, step);
  if (begin == end || error != std::errc() || stop != end || step < 0) return {};
  return step;
}

/// Takes the folder for this object. The system gives it back when the program ends, however it ends.
int lock_folder(const std::filesystem::path& path) {
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0)
    throw IoError(path.string(), "cannot open the folder: " + std::generic_category().message(errno));
  if (::flock(descriptor, LOCK_EX | LOCK_NB) == 0) return descriptor;
  const int error = errno;
  ::close(descriptor);
  throw IoError(path.string(), error == EWOULDBLOCK
                                   ? "another run writes its checkpoints here; choose another folder"
                                   : "cannot lock the folder: " + std::generic_category().message(error));
}

}  // namespace

CheckpointFolder::CheckpointFolder(std::filesystem::path path, KeepOptions keep)
    : path_(std::move(path)), keep_(std::move(keep)) {
  if (keep_.last < 1 || keep_.best < 0) {
    throw ValueError(path_.string(), "keep the last " + std::to_string(keep_.last) + " and best " +
                                         std::to_string(keep_.best) +
                                         " checkpoints; expected at least 1 and 0");
  }
  std::error_code error;
  std::filesystem::create_directories(path_, error);
  if (error) throw IoError(path_.string(), "cannot make the folder: " + error.message());
  lock_ = lock_folder(path_);
  std::vector<std::filesystem::path> left;
  for (const auto& entry : std::filesystem::directory_iterator(path_, error)) {
    if (entry.path().filename().string().starts_with(AtomicFolder::kPrefix)) left.push_back(entry.path());
  }
  for (const std::filesystem::path& half_made : left) std::filesystem::remove_all(half_made, error);
}

CheckpointFolder::~CheckpointFolder() {
  ::close(lock_);
}

std::vector<int64_t> CheckpointFolder::steps() const {
  std::vector<int64_t> steps;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(path_, error)) {
    const std::string name = entry.path().filename().string();
    if (const auto step = step_of(name); step && entry.path() == path_of(*step)) steps.push_back(*step);
  }
  if (error) throw IoError(path_.string(), "cannot list the folder: " + error.message());
  std::sort(steps.begin(), steps.end());
  return steps;
}

std::filesystem::path CheckpointFolder::path_of(int64_t step) const {
  std::string digits = std::to_string(step);
  if (digits.size() < kDigits) digits.insert(0, kDigits - digits.size(), '0');
  return path_ / (std::string(kStepPrefix) + digits);
}

void CheckpointFolder::save(const Checkpoint& checkpoint) {
  save_checkpoint(path_of(checkpoint.step), checkpoint);
  const std::vector<int64_t> all = steps(), best = ranked();
  const auto kept_best = best.begin() + std::min<int64_t>(keep_.best, std::ssize(best));
  for (auto step = all.begin(); step < all.end() - std::min<int64_t>(keep_.last, std::ssize(all)); ++step) {
    if (*step != checkpoint.step && std::find(best.begin(), kept_best, *step) == kept_best)
      remove_folder(path_of(*step));
  }
}

std::optional<Checkpoint> CheckpointFolder::load_last() const {
  const std::vector<int64_t> all = steps();
  if (all.empty()) return {};
  return load_checkpoint(path_of(all.back()));
}

std::optional<int64_t> CheckpointFolder::best() const {
  const std::vector<int64_t> best = ranked();
  if (best.empty()) return {};
  return best.front();
}

/// The steps whose metric is known, best first; of equals the later one.
std::vector<int64_t> CheckpointFolder::ranked() const {
  if (keep_.metric.empty()) return {};
  std::vector<std::pair<double, int64_t>> known;
  for (const int64_t step : steps()) {
    try {
      const Checkpoint manifest = load_checkpoint_manifest(path_of(step));
      const auto metric = manifest.metrics.find(keep_.metric);
      if (metric == manifest.metrics.end() || !std::isfinite(metric->second)) continue;
      known.emplace_back(keep_.maximise ? -metric->second : metric->second, -step);
    } catch (const Error& error) {
      log_message(LogLevel::warning, error.what());
    }
  }
  std::sort(known.begin(), known.end());
  std::vector<int64_t> steps;
  steps.reserve(known.size());
  for (const auto& [metric, negative_step] : known) steps.push_back(-negative_step);
  return steps;
}

}  // namespace espalier::io
