#pragma once

#include <cstdint>
#include <filesystem>
#include <initializer_list>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/export.h"

namespace espalier::io {

class AppendFile;

/// A number with its name.
struct Metric {
  std::string name;
  double value;
};

/// Numbers by step, in a text file of one row a step.
///
///   MetricsLog log("run.csv");
///   log.add(step, {{"loss", loss.item()}, {"accuracy", accuracy}});
///
/// The name's ending chooses the format. `.csv`: a header, `step,loss,accuracy`, made by the first row, and
/// numbers with commas between them; NaN and infinities are `nan`, `inf` and `-inf`. `.jsonl` (JSON lines):
/// an object a row, `{"step":12,"loss":0.5}`; JSON has neither NaN nor infinities, so they are `null`.
/// Numbers have the fewest digits that give the same f64 back.
///
/// Rows are collected in memory and written 64 KiB at a time; flush() writes at once. A crash loses what was
/// not written: flush before each checkpoint, so that no row before it can be missing. Not for use from
/// several threads.
class ESPALIER_API MetricsLog {
 public:
  /// Opens the file, or makes it. `first_step` is the first step that this run writes: rows of the file from
  /// it on are removed, and so is a last line that a crash cut, so that a run which was interrupted and
  /// resumed leaves the same file as one that was not. Hence a run that starts at 0 starts the file anew.
  ///
  /// Throws ValueError for another ending or a negative step, IoError, and FormatError for a file with
  /// content that this class does not write; that file is left alone.
  explicit MetricsLog(const std::filesystem::path& path, int64_t first_step = 0);
  /// Writes what is left. What goes wrong is logged, unless an exception told it before: call flush() to get
  /// one.
  ~MetricsLog();
  MetricsLog(const MetricsLog&) = delete;
  MetricsLog& operator=(const MetricsLog&) = delete;

  /// Adds a row. In CSV the first row of the file fixes the names; later rows may leave some out, which gives
  /// empty cells, and have them in any order. Throws ValueError for a name that the header of a CSV file does
  /// not have; a name that is `step`, empty, twice in the row, not UTF-8 or has control characters; no
  /// metrics at all; and a step that is under the first one or not above the one before. Throws IoError where
  /// the system refuses to write (a full disk). The row is not in the file then.
  void add(int64_t step, std::span<const Metric> metrics);
  void add(int64_t step, std::initializer_list<Metric> metrics) {
    add(step, std::span<const Metric>(metrics.begin(), metrics.size()));
  }

  /// Hands all rows to the system. Throws IoError; what could not be written is tried again next time.
  void flush();

 private:
  void check(int64_t step, std::span<const Metric> metrics) const;
  void make_csv_row(int64_t step, std::span<const Metric> metrics);
  void make_json_row(int64_t step, std::span<const Metric> metrics);

  std::string name_;
  bool csv_;
  int64_t first_step_;
  std::optional<int64_t> last_step_;  // of this run; those of the file are under the first one
  std::vector<std::string> columns_;  // of CSV, once it has a row
  std::unique_ptr<AppendFile> file_;
  std::string row_;                       // the row being made; kept for its memory
  std::vector<const Metric*> in_column_;  // the same for the row's metrics by column
};

}  // namespace espalier::io
