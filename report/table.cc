#include "report/table.h"

#include <algorithm>
#include <cstdio>
#include <utility>

#include "core/error.h"
#include "report/markup_internal.h"

namespace espalier::report {

Table::Table(std::vector<std::string> header) {
  rows_.push_back(std::move(header));
}

void Table::add_row(std::vector<std::string> cells) {
  if (cells.size() != rows_[0].size()) {
    throw ShapeError("Table", "a row of " + std::to_string(cells.size()) + " cells in a table of " +
                                  std::to_string(rows_[0].size()));
  }
  rows_.push_back(std::move(cells));
}

void Table::print(std::ostream& out) const {
  std::vector<size_t> widths(rows_[0].size());
  for (const auto& row : rows_) {
    for (size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], display_width(row[i]));
  }
  for (size_t r = 0; r < rows_.size(); ++r) {
    std::string line;
    for (size_t i = 0; i < widths.size(); ++i) {
      const std::string& cell = rows_[r][i];
      const std::string space(widths[i] - display_width(cell), ' ');
      line += (i > 0 ? "  " : "") + (i == 0 ? cell + space : space + cell);
    }
    out << line.substr(0, line.find_last_not_of(' ') + 1) << '\n';
    if (r > 0) continue;
    std::string rule;
    for (size_t i = 0; i < widths.size(); ++i) {
      if (i > 0) rule += "  ";
      for (size_t n = 0; n < widths[i]; ++n) rule += "─";
    }
    out << rule << '\n';
  }
}

std::string Table::html() const {
  std::string text = "<table>\n";
  for (size_t r = 0; r < rows_.size(); ++r) {
    text += r == 0 ? "<thead>\n<tr>" : "<tr>";
    for (const std::string& cell : rows_[r])
      text += r == 0 ? "<th>" + escape(cell) + "</th>" : "<td>" + escape(cell) + "</td>";
    text += r == 0 ? "</tr>\n</thead>\n<tbody>\n" : "</tr>\n";
  }
  return text + "</tbody>\n</table>\n";
}

size_t display_width(std::string_view text) {
  // Bytes of the form 10xxxxxx continue a character.
  return static_cast<size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xc0) != 0x80; }));
}

std::string fixed(double value, int decimals) {
  char text[64];
  std::snprintf(text, sizeof text, "%.*f", decimals, value);
  return text;
}

}  // namespace espalier::report
