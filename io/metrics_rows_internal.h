#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/export.h"

namespace espalier::io {

/// What stays of a file of metrics when a run goes on.
struct KeptMetrics {
  size_t size = 0;                   ///< bytes, from the beginning
  std::optional<int64_t> last_step;  ///< none where no row stays
  std::vector<std::string> columns;  ///< of a CSV file, without `step`; empty where no row stays
};

/// The rows before `first_step` of what MetricsLog wrote. What follows the last line feed was cut by a crash
/// and does not stay. Throws FormatError on behalf of `name` for content that MetricsLog does not write.
ESPALIER_API KeptMetrics kept_csv(std::string_view content, int64_t first_step, const std::string& name);
ESPALIER_API KeptMetrics kept_json_lines(std::string_view content, int64_t first_step,
                                         const std::string& name);

/// Appends a number with the fewest digits that give it back, or `nan`, `inf`, `-inf`.
void append_csv_number(std::string& row, double value);
/// The same, or `null` where it is not finite.
void append_json_number(std::string& row, double value);
/// Appends a text that has neither control characters nor bytes that are not UTF-8, in quotes where needed.
void append_csv_text(std::string& row, std::string_view text);
void append_json_text(std::string& row, std::string_view text);

}  // namespace espalier::io
