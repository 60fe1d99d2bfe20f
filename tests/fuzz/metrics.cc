// Any bytes are either refused with a FormatError or leave rows that are at the beginning of what was there,
// end with a line, and are all kept again. Read back, they give a row for each line, steps rising.

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string_view>
#include <vector>

#include "core/error.h"
#include "io/metrics_log.h"
#include "io/metrics_rows_internal.h"
#include "io/read_metrics.h"

namespace {

using espalier::io::KeptMetrics;

void check(bool good) {
  if (!good) std::abort();
}

template <class Kept>
void keep(Kept&& kept_rows, std::string_view content) {
  try {
    const KeptMetrics kept = kept_rows(content, 100, "fuzz");
    check(kept.size <= content.size());
    check(kept.last_step ? *kept.last_step < 100 && content[kept.size - 1] == '\n' : kept.size == 0);
    const KeptMetrics again = kept_rows(content.substr(0, kept.size), 100, "fuzz");
    check(again.size == kept.size && again.last_step == kept.last_step && again.columns == kept.columns);
  } catch (const espalier::FormatError&) {
    return;
  }
}

void read(std::string_view content) {
  try {
    const std::vector<espalier::io::MetricsRow> rows = espalier::io::parse_metrics(content, "fuzz");
    check(static_cast<std::ptrdiff_t>(rows.size()) == std::count(content.begin(), content.end(), '\n'));
    int64_t last = -1;
    for (const espalier::io::MetricsRow& row : rows) {
      check(row.step > last);
      last = row.step;
    }
  } catch (const espalier::FormatError&) {
    return;
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view content(reinterpret_cast<const char*>(data), size);
  keep(espalier::io::kept_csv, content);
  keep(espalier::io::kept_json_lines, content);
  read(content);
  return 0;
}
