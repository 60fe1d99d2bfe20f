#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include "core/error.h"
#include "io/metrics_rows_internal.h"

namespace espalier::io {
namespace {

constexpr std::string_view kJsonStart = "{\"step\":";

/// Goes through the complete lines of a file.
class Lines {
 public:
  Lines(std::string_view content, const std::string& name) : content_(content), name_(name) {}

  /// The next line, without its line feed; none at the end, and for what a crash cut.
  std::optional<std::string_view> next() {
    begin_ = at_;
    const size_t end = content_.find('\n', at_);
    if (end == std::string_view::npos) return {};
    at_ = end + 1;
    ++number_;
    return content_.substr(begin_, end - begin_);
  }
  /// Where the line that next() gave begins: the bytes before it.
  size_t begin() const { return begin_; }

  [[noreturn]] void fail(const std::string& message) const {
    throw FormatError(name_, "line " + std::to_string(number_) + ' ' + message +
                                 "; move the file away, or log to another one");
  }

  /// The step at the front of `line`, which is cut off. It must be above the one before.
  int64_t step(std::string_view& line, std::optional<int64_t> before) const {
    int64_t step = 0;
    const auto [end, error] = std::from_chars(line.data(), line.data() + line.size(), step);
    if (error != std::errc() || step < 0) fail("has no step from 0 to 2^63 - 1");
    if (before && step <= *before)
      fail("has step " + std::to_string(step) + " behind step " + std::to_string(*before));
    line.remove_prefix(static_cast<size_t>(end - line.data()));
    return step;
  }

 private:
  std::string_view content_;
  const std::string& name_;
  size_t begin_ = 0, at_ = 0, number_ = 0;
};

/// The cells of a header, quotes undone.
std::vector<std::string> header_cells(std::string_view line, const Lines& lines) {
  std::vector<std::string> cells;
  for (bool more = true; more;) {
    std::string cell;
    if (line.starts_with('"')) {
      line.remove_prefix(1);
      for (;;) {
        const size_t quote = line.find('"');
        if (quote == std::string_view::npos) lines.fail("has a name without a closing quote");
        cell += line.substr(0, quote);
        line.remove_prefix(quote + 1);
        if (!line.starts_with('"')) break;
        cell += '"';
        line.remove_prefix(1);
      }
      if (!line.empty() && line.front() != ',') lines.fail("has more than a name between two commas");
    } else {
      cell = line.substr(0, line.find(','));
      line.remove_prefix(cell.size());
    }
    cells.push_back(std::move(cell));
    more = !line.empty();
    if (more) line.remove_prefix(1);
  }
  return cells;
}

/// A number with the fewest digits that give it back.
void append_finite(std::string& row, double value) {
  std::array<char, 32> text;  // the longest has 24 characters
  row.append(text.data(), std::to_chars(text.data(), text.data() + text.size(), value).ptr);
}

}  // namespace

KeptMetrics kept_csv(std::string_view content, int64_t first_step, const std::string& name) {
  constexpr std::string_view kStart = "step,";
  if (content.substr(0, kStart.size()) != kStart.substr(0, content.size()))
    throw FormatError(name, "does not begin with 'step,' as metrics do; log to another file");
  Lines lines(content, name);
  const std::optional<std::string_view> header = lines.next();
  if (!header) return {};
  KeptMetrics kept;
  kept.columns = header_cells(header->substr(kStart.size()), lines);
  std::vector<std::string> sorted = kept.columns;
  std::sort(sorted.begin(), sorted.end());
  if (std::adjacent_find(sorted.begin(), sorted.end()) != sorted.end()) lines.fail("has a name twice");

  std::optional<std::string_view> line = lines.next();
  for (; line; line = lines.next()) {
    const int64_t step = lines.step(*line, kept.last_step);
    if (!line->starts_with(',')) lines.fail("has no comma behind its step");
    const auto cells = static_cast<size_t>(std::count(line->begin(), line->end(), ','));
    if (cells != kept.columns.size())
      lines.fail("has " + std::to_string(cells) + " numbers for " + std::to_string(kept.columns.size()) +
                 " names");
    if (step >= first_step) break;
    kept.last_step = step;
  }
  // Without a row, the next one makes the header.
  if (!kept.last_step) return {};
  kept.size = lines.begin();
  return kept;
}

KeptMetrics kept_json_lines(std::string_view content, int64_t first_step, const std::string& name) {
  if (content.substr(0, kJsonStart.size()) != kJsonStart.substr(0, content.size()))
    throw FormatError(name, "does not begin with '{\"step\":' as metrics do; log to another file");
  Lines lines(content, name);
  KeptMetrics kept;
  for (std::optional<std::string_view> line = lines.next(); line; line = lines.next()) {
    if (!line->starts_with(kJsonStart) || !line->ends_with('}'))
      lines.fail("is no object that begins with its step");
    line->remove_prefix(kJsonStart.size());
    const int64_t step = lines.step(*line, kept.last_step);
    if (!line->starts_with(',')) lines.fail("has no comma behind its step");
    if (step >= first_step) break;
    kept.last_step = step;
  }
  kept.size = lines.begin();
  return kept;
}

void append_csv_number(std::string& row, double value) {
  if (std::isnan(value))
    row += "nan";
  else
    append_finite(row, value);
}

void append_json_number(std::string& row, double value) {
  if (std::isfinite(value))
    append_finite(row, value);
  else
    row += "null";
}

void append_csv_text(std::string& row, std::string_view text) {
  if (text.find_first_of("\",") == std::string_view::npos) {
    row += text;
    return;
  }
  row += '"';
  for (const char c : text) row.append(c == '"' ? 2 : 1, c);
  row += '"';
}

void append_json_text(std::string& row, std::string_view text) {
  row += '"';
  for (const char c : text) {
    if (c == '"' || c == '\\') row += '\\';
    row += c;
  }
  row += '"';
}

}  // namespace espalier::io
