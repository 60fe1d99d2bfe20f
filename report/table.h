#pragma once

#include <ostream>
#include <string>
#include <string_view>
#include <vector>

#include "core/export.h"

namespace espalier::report {

/// A table, its columns aligned: the first to the left, the others to the right.
class ESPALIER_API Table {
 public:
  explicit Table(std::vector<std::string> header);
  /// Throws ShapeError where the number of cells is not that of the header.
  void add_row(std::vector<std::string> cells);

  /// In plain text.
  void print(std::ostream& out) const;
  /// As a `table` element, everything in it escaped; a page (report/page.h) styles it.
  std::string html() const;

 private:
  std::vector<std::vector<std::string>> rows_;
};

inline std::ostream& operator<<(std::ostream& out, const Table& table) {
  table.print(out);
  return out;
}

/// The columns that UTF-8 text takes on a terminal, counting each character as one.
ESPALIER_API size_t display_width(std::string_view text);

/// A number with a fixed count of decimals.
ESPALIER_API std::string fixed(double value, int decimals);

}  // namespace espalier::report
