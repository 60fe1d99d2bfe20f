#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace espalier::data {

/// The cells of CSV text (RFC 4180), line by line: while (next_line()) do next_cell(); while (!line_ended()).
class CsvReader {
 public:
  CsvReader(std::string_view text, char delimiter, const std::string& name);

  /// Goes to the next line that is not empty. False where there is none.
  bool next_line();
  /// The next cell without its quotes, valid until the next call; there is one as long as the line has not
  /// ended. Throws FormatError where quotes do not match.
  std::string_view next_cell();
  bool line_ended() const noexcept { return ended_; }

  /// Where the last cell is, from 1.
  int64_t line() const noexcept { return cell_line_; }
  int64_t column() const noexcept { return column_; }
  /// Throws FormatError `line 2, column 3: message`.
  [[noreturn]] void fail(const std::string& message) const;

 private:
  std::string_view quoted();
  std::string_view plain();
  void end_cell();

  std::string_view text_;
  char delimiter_;
  const std::string& name_;
  size_t at_ = 0;
  int64_t line_ = 1, cell_line_ = 1, column_ = 0;
  bool ended_ = true;
  std::string unescaped_;
};

/// The number that a cell without spaces around it says. Gives what is wrong with it, "is no number", or null
/// where nothing is.
const char* parse_number(std::string_view cell, float& value);
const char* parse_number(std::string_view cell, double& value);
const char* parse_number(std::string_view cell, int64_t& value);

}  // namespace espalier::data
