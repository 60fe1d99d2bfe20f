#pragma once

#include <cstdint>
#include <filesystem>
#include <string_view>
#include <vector>

#include "io/metrics_log.h"

namespace espalier::io {

/// A step's row of a metrics file.
struct MetricsRow {
  int64_t step;
  std::vector<Metric> metrics;  ///< in the order of the file; `null` is NaN
};

/// The rows of a JSON-lines file that MetricsLog wrote (`.jsonl`), steps rising. A last line that a crash cut
/// is left out. Throws IoError, and FormatError with the line for content that MetricsLog does not write.
ESPALIER_API std::vector<MetricsRow> read_metrics(const std::filesystem::path& path);
/// The same of a file's content; `name` begins the errors.
ESPALIER_API std::vector<MetricsRow> parse_metrics(std::string_view content, const std::string& name);

}  // namespace espalier::io
