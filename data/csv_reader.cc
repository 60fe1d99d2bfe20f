#include <charconv>
#include <cmath>

#include "core/error.h"
#include "data/csv_reader_internal.h"

namespace espalier::data {
namespace {

constexpr std::string_view kByteOrderMark = "\xef\xbb\xbf";

}  // namespace

CsvReader::CsvReader(std::string_view text, char delimiter, const std::string& name)
    : text_(text), delimiter_(delimiter), name_(name) {
  if (text_.starts_with(kByteOrderMark)) at_ = kByteOrderMark.size();
}

void CsvReader::fail(const std::string& message) const {
  throw FormatError(
      name_, "line " + std::to_string(cell_line_) + ", column " + std::to_string(column_) + ": " + message);
}

bool CsvReader::next_line() {
  for (; at_ < text_.size(); ++line_) {
    if (text_[at_] == '\n') {
      ++at_;
    } else if (text_.substr(at_).starts_with("\r\n")) {
      at_ += 2;
    } else {
      ended_ = false;
      column_ = 0;
      return true;
    }
  }
  return false;
}

std::string_view CsvReader::next_cell() {
  cell_line_ = line_;
  ++column_;
  return at_ < text_.size() && text_[at_] == '"' ? quoted() : plain();
}

std::string_view CsvReader::plain() {
  const size_t begin = at_;
  size_t end = begin;
  for (; end < text_.size() && text_[end] != delimiter_ && text_[end] != '\n'; ++end) {
    if (text_[end] == '"') fail("a quote inside a cell that does not begin with one");
  }
  std::string_view cell = text_.substr(begin, end - begin);
  if (end < text_.size() && text_[end] == '\n' && cell.ends_with('\r')) cell.remove_suffix(1);
  at_ = end;
  end_cell();
  return cell;
}

std::string_view CsvReader::quoted() {
  unescaped_.clear();
  size_t begin = ++at_;
  while (true) {
    const size_t quote = text_.find('"', begin);
    if (quote == std::string_view::npos) fail("a quote without its end");
    unescaped_ += text_.substr(begin, quote - begin);
    begin = quote + 1;
    if (begin == text_.size() || text_[begin] != '"') break;
    unescaped_ += '"';
    ++begin;
  }
  for (; at_ < begin; ++at_) line_ += text_[at_] == '\n' ? 1 : 0;
  if (text_.substr(at_).starts_with("\r\n")) ++at_;
  if (at_ < text_.size() && text_[at_] != delimiter_ && text_[at_] != '\n')
    fail("something between the closing quote and the end of the cell");
  end_cell();
  return unescaped_;
}

/// Passes over what ends the cell: a delimiter, the end of the line or that of the text.
void CsvReader::end_cell() {
  if (at_ == text_.size()) {
    ended_ = true;
    return;
  }
  ended_ = text_[at_++] == '\n';
  line_ += ended_ ? 1 : 0;
}

namespace {

/// from_chars() takes no plus.
std::string_view without_plus(std::string_view cell) {
  const bool plus = cell.size() > 1 && cell[0] == '+' && cell[1] != '-';
  return plus ? cell.substr(1) : cell;
}

template <class T>
const char* parse_float(std::string_view cell, T& value) {
  cell = without_plus(cell);
  const char *const first = cell.data(), *const last = first + cell.size();
  const auto [end, error] = std::from_chars(first, last, value);
  if (end != last || error == std::errc::invalid_argument) return "is no number";
  if (error == std::errc()) return nullptr;
  // Out of range is said of what is too small, too. The widest type tells the two apart.
  long double wide = 0;
  if (std::from_chars(first, last, wide).ec != std::errc() || std::fabs(wide) >= 1)
    return "is too large for its type";
  value = static_cast<T>(wide);
  return nullptr;
}

}  // namespace

const char* parse_number(std::string_view cell, float& value) {
  return parse_float(cell, value);
}

const char* parse_number(std::string_view cell, double& value) {
  return parse_float(cell, value);
}

const char* parse_number(std::string_view cell, int64_t& value) {
  cell = without_plus(cell);
  const char* const last = cell.data() + cell.size();
  const auto [end, error] = std::from_chars(cell.data(), last, value);
  if (end == last && error == std::errc()) return nullptr;
  if (end == last && error == std::errc::result_out_of_range) return "is too large for its type";
  double number = 0;  // programs that know only fractions write 3 as 3.0
  if (const char* wrong = parse_float(cell, number)) return wrong;
  constexpr double kMostExact = 9007199254740992;  // 2^53
  if (number != std::trunc(number) || !(std::fabs(number) <= kMostExact)) return "is no integer";
  value = static_cast<int64_t>(number);
  return nullptr;
}

}  // namespace espalier::data
