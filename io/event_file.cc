#include "io/event_file.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <system_error>

#include <unistd.h>

#include "core/error.h"
#include "core/utf8_internal.h"
#include "io/append_file_internal.h"
#include "io/crc32c_internal.h"
#include "io/event_histogram_internal.h"
#include "io/wire_format.h"

namespace espalier::io {
namespace {

constexpr std::string_view kFilePrefix = "events.out.tfevents.";
// Readers take files in the order of their names, so times have a fixed number of digits.
constexpr int64_t kLeastTime = 1'000'000'000, kMostTime = 9'999'999'999;
// In front of a record's data: its length in 8 bytes, and the sum of these.
constexpr size_t kLengthBytes = 8, kFront = kLengthBytes + 4;

// Fields of TensorFlow's event.proto, summary.proto and tensor.proto.
namespace event {
constexpr unsigned kWallTime = 1, kStep = 2, kFileVersion = 3, kSummary = 5, kSessionLog = 7;
}
namespace session_log {
constexpr unsigned kStatus = 1;
constexpr int64_t kStart = 1;
}  // namespace session_log
namespace summary {
constexpr unsigned kValue = 1;
}
namespace value {
constexpr unsigned kTag = 1, kSimpleValue = 2, kHistogram = 5, kTensor = 8, kMetadata = 9;
}
namespace histogram {
constexpr unsigned kMin = 1, kMax = 2, kNum = 3, kSum = 4, kSumSquares = 5, kLimits = 6, kCounts = 7;
}
namespace metadata {
constexpr unsigned kPlugin = 1, kPluginName = 1, kDataClass = 4;
constexpr int64_t kTensorData = 2;
}  // namespace metadata
namespace tensor {
constexpr unsigned kType = 1, kShape = 2, kStrings = 8;
constexpr int64_t kString = 7;
}  // namespace tensor

/// The time in an event file's name; 0 where it has none.
int64_t time_of(std::string_view name) {
  if (!name.starts_with(kFilePrefix)) return 0;
  name.remove_prefix(kFilePrefix.size());
  int64_t time = 0;
  const auto end = std::from_chars(name.data(), name.data() + name.size(), time).ptr;
  return end != name.data() + name.size() && *end == '.' && time >= kLeastTime && time < kMostTime ? time : 0;
}

std::string host() {
  std::array<char, 256> name{};
  if (::gethostname(name.data(), name.size() - 1) != 0 || name[0] == '\0') return "localhost";
  std::string text = name.data();
  std::replace(text.begin(), text.end(), '/', '_');
  return text;
}

/// A time for the name of a new file in the folder: now, or behind those of the files that it has.
int64_t next_time(const std::filesystem::path& folder) {
  using std::chrono::system_clock;
  int64_t next = std::clamp<int64_t>(system_clock::to_time_t(system_clock::now()), kLeastTime, kMostTime);
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) throw IoError(folder.string(), "cannot make the folder: " + error.message());
  std::filesystem::directory_iterator entry(folder, error);
  for (; !error && entry != std::filesystem::directory_iterator(); entry.increment(error))
    next = std::max(next, time_of(entry->path().filename().string()) + 1);
  if (error) throw IoError(folder.string(), "cannot list the folder: " + error.message());
  return next;
}

std::string repaired(std::string_view text) {
  std::string result;
  while (!text.empty()) {
    const size_t length = detail::utf8_length(text);
    result += length == 0 ? "\xef\xbf\xbd" : text.substr(0, length);
    text.remove_prefix(std::max<size_t>(length, 1));
  }
  return result;
}

}  // namespace

EventFile::EventFile(const std::filesystem::path& folder, std::optional<int64_t> first_step) {
  for (int64_t time = next_time(folder); !file_; ++time) {
    path_ = folder / (std::string(kFilePrefix) + std::to_string(time) + "." + host());
    file_ = AppendFile::make(path_);
  }
  begin_event(0);
  WireWriter(record_).bytes(event::kFileVersion, "brain.Event:2");
  end_event();
  // TensorBoard takes the first start of a run for its beginning and forgets nothing then, hence two.
  for (int i = 0; first_step && i < 2; ++i) {
    begin_event(*first_step);
    WireWriter out(record_);
    out.message(event::kSessionLog, [&] { out.integer(session_log::kStatus, session_log::kStart); });
    end_event();
  }
  flush();
}

EventFile::~EventFile() = default;

void EventFile::begin_event(int64_t step) {
  record_.assign(kFront, '\0');
  WireWriter out(record_);
  const std::chrono::duration<double> now = std::chrono::system_clock::now().time_since_epoch();
  out.f64(event::kWallTime, now.count());
  out.integer(event::kStep, step);
}

void EventFile::end_event() {
  const uint64_t size = record_.size() - kFront;
  put_little_endian(size, record_.data());
  const std::string_view length(record_.data(), kLengthBytes);
  put_little_endian(masked_crc32c(length), record_.data() + kLengthBytes);
  std::array<char, 4> sum;
  put_little_endian(masked_crc32c(std::string_view(record_).substr(kFront)), sum.data());
  record_.append(sum.data(), sum.size());
  file_->append(record_);
}

template <class Fill>
void EventFile::add_summary(std::string_view tag, int64_t step, Fill&& fill) {
  // A string that is not UTF-8 would make the whole event unreadable.
  if (tag.empty() || !detail::is_utf8(tag))
    throw ValueError(path_.string(), tag.empty() ? "a tag is empty; name what is logged"
                                                 : "a tag of " + std::to_string(tag.size()) +
                                                       " bytes is not UTF-8; write it in UTF-8");
  begin_event(step);
  WireWriter out(record_);
  out.message(event::kSummary, [&] {
    out.message(summary::kValue, [&] {
      out.bytes(value::kTag, tag);
      fill(out);
    });
  });
  end_event();
}

void EventFile::add_scalar(std::string_view tag, double value, int64_t step) {
  add_summary(tag, step, [&](WireWriter& out) { out.f32(value::kSimpleValue, static_cast<float>(value)); });
}

void EventFile::add_histogram(std::string_view tag, const Tensor& values, int64_t step) {
  const EventHistogram found = histogram_of(values, path_.string());
  add_summary(tag, step, [&](WireWriter& out) {
    out.message(value::kHistogram, [&] {
      out.f64(histogram::kMin, found.min);
      out.f64(histogram::kMax, found.max);
      out.f64(histogram::kNum, static_cast<double>(found.finite));
      out.f64(histogram::kSum, found.sum);
      out.f64(histogram::kSumSquares, found.sum_squares);
      out.f64s(histogram::kLimits, found.limits);
      out.f64s(histogram::kCounts, found.counts);
    });
  });
  if (found.not_finite > 0)
    add_scalar(std::string(tag) + "/not_finite", static_cast<double>(found.not_finite), step);
}

void EventFile::add_text(std::string_view tag, std::string_view text, int64_t step) {
  add_summary(tag, step, [&](WireWriter& out) {
    out.message(value::kMetadata, [&] {
      out.message(metadata::kPlugin, [&] { out.bytes(metadata::kPluginName, "text"); });
      out.integer(metadata::kDataClass, metadata::kTensorData);
    });
    out.message(value::kTensor, [&] {
      out.integer(tensor::kType, tensor::kString);
      out.message(tensor::kShape, [] {});
      out.bytes(tensor::kStrings, detail::is_utf8(text) ? text : repaired(text));
    });
  });
}

void EventFile::flush() {
  file_->flush();
}

}  // namespace espalier::io
