#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "core/tensor.h"

namespace espalier::io {

class AppendFile;

/// A file for TensorBoard: curves, histograms and text by tag (`train/loss`) and step.
///
///   EventFile events("runs/first");
///   events.add_scalar("train/loss", loss.item(), step);
///
/// Every object makes a file of its own, `events.out.tfevents.<time>.<host>`, that sorts behind those which
/// the folder has: TensorBoard shows the files of a folder as one run, so a resumed run opens the same folder
/// again. Events are collected in memory and written 64 KiB at a time; flush() writes at once. A crash loses
/// what was not written and may cut the last event, which readers skip.
///
/// The file is a sequence of TFRecord's records, each with an Event of TensorFlow's event.proto, version 2.
/// Not for use from several threads.
class ESPALIER_API EventFile {
 public:
  /// Makes the folder where it is missing, and the file in it. With `first_step`, TensorBoard forgets what
  /// the folder's earlier files hold from that step on: what an interrupted run wrote after the checkpoint at
  /// which this one resumes. Throws IoError.
  explicit EventFile(const std::filesystem::path& folder, std::optional<int64_t> first_step = {});
  /// Writes what is left. What goes wrong is logged, unless an exception told it before: call flush() to get
  /// one.
  ~EventFile();
  EventFile(const EventFile&) = delete;
  EventFile& operator=(const EventFile&) = delete;

  // All three throw ValueError for a tag that is empty or not UTF-8, and IoError where the system refuses to
  // write (a full disk). The event is not in the file then; the file stays well-formed, and writing may go on
  // once there is room.

  /// A point of a curve, kept as f32: larger numbers become infinite. NaN and infinities are written as they
  /// are; TensorBoard marks them.
  void add_scalar(std::string_view tag, double value, int64_t step);

  /// The distribution of a tensor's elements, of any type and shape, in TensorFlow's buckets: the first
  /// limits away from 0 are 1e-12 and -1e-12, and each next one is a tenth larger. NaN and infinities are in
  /// no bucket, nor in the minimum, maximum and sums: where there are some, their number is written as the
  /// scalar
  /// `<tag>/not_finite`. Throws ValueError for an undefined tensor, DeviceError for one that is not in the
  /// host's memory.
  void add_histogram(std::string_view tag, const Tensor& values, int64_t step);

  /// Text, which TensorBoard shows as Markdown. Bytes that are not UTF-8 become U+FFFD.
  void add_text(std::string_view tag, std::string_view text, int64_t step);

  /// Hands all events to the system. Throws IoError; what could not be written is tried again next time.
  void flush();

  const std::filesystem::path& path() const noexcept { return path_; }

 private:
  void begin_event(int64_t step);
  void end_event();
  template <class Fill>
  void add_summary(std::string_view tag, int64_t step, Fill&& fill);

  std::filesystem::path path_;
  std::unique_ptr<AppendFile> file_;
  std::string record_;  // the event being made; kept for its memory
};

}  // namespace espalier::io
