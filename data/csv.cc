#include "data/csv.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>
#include <utility>

#include "core/error.h"
#include "data/csv_reader_internal.h"
#include "io/gzip.h"
#include "io/utf8.h"

namespace espalier::data {
namespace {

constexpr size_t kMaxBytes = size_t{4} << 30;
constexpr size_t kShown = 32;  // bytes of a cell in an error

std::string_view trimmed(std::string_view cell) {
  const size_t first = cell.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return cell.substr(first, cell.find_last_not_of(" \t") - first + 1);
}

/// A cell for a line of text.
std::string shown(std::string_view cell) {
  std::string text(cell.substr(0, kShown));
  for (char& c : text) {
    if (c < ' ' || c > '~') c = '?';  // errors are one line of text
  }
  return "'" + text + (cell.size() > kShown ? "..." : "") + "'";
}

/// The rows of a table that grows.
class Numbers {
 public:
  Numbers(Dtype dtype, int64_t width, const std::optional<double>& fill)
      : dtype_(dtype), width_(static_cast<size_t>(width)), fill_(fill) {}
  size_t width() const noexcept { return width_; }

  void reserve(size_t count) {
    visit([&](auto& values) { values.reserve(count); });
  }
  void add_row() {
    visit([&](auto& values) { values.resize(values.size() + width_); });
  }
  /// Sets an element of the last row. Gives what is wrong with the cell, null where nothing is.
  const char* set(size_t place, std::string_view cell) {
    const char* wrong = nullptr;
    visit([&]<class T>(std::vector<T>& values) {
      T& value = values[values.size() - width_ + place];
      if (!cell.empty())
        wrong = parse_number(cell, value);
      else if (fill_)
        value = static_cast<T>(*fill_);
      else
        wrong = "is empty";
    });
    return wrong;
  }
  /// The elements, which the tensor takes over.
  Tensor take(const Shape& shape) {
    Tensor tensor;
    visit([&]<class T>(std::vector<T>& values) {
      const auto kept = std::make_shared<std::vector<T>>(std::move(values));
      tensor = from_blob(kept->data(), shape, dtype_, [kept] {});
    });
    return tensor;
  }

 private:
  template <class Work>
  void visit(Work&& work) {
    if (dtype_ == Dtype::f32)
      work(f32_);
    else if (dtype_ == Dtype::f64)
      work(f64_);
    else
      work(i64_);
  }

  Dtype dtype_;
  size_t width_;
  std::optional<double> fill_;
  std::vector<float> f32_;
  std::vector<double> f64_;
  std::vector<int64_t> i64_;
};

/// Which number of which table a column gives.
struct Target {
  bool label = false;
  size_t place = 0;
};

void check(const CsvOptions& options) {
  const char d = options.delimiter;
  const bool of_numbers =
      (d >= '0' && d <= '9') || (d >= 'a' && d <= 'z') || (d >= 'A' && d <= 'Z') || d == '+' || d == '-';
  if (of_numbers || d == '.' || d == '"' || d == '\n' || d == '\r' || d == '\0')
    throw ValueError("csv", "the delimiter " + shown({&d, 1}) + "; expected ',', ';', a tab or the like");
  if (options.dtype != Dtype::f32 && options.dtype != Dtype::f64) {
    throw TypeError("csv", "values of the type " + std::string(to_string(options.dtype)) +
                               "; expected f32 or f64, which can be cast");
  }
  if (options.label_dtype != Dtype::i64 && options.label_dtype != Dtype::f32 &&
      options.label_dtype != Dtype::f64) {
    throw TypeError("csv", "labels of the type " + std::string(to_string(options.label_dtype)) +
                               "; expected i64, f32 or f64");
  }
  const double fill = options.fill.value_or(0);
  if (options.dtype == Dtype::f32 && std::isfinite(fill) &&
      std::fabs(fill) > std::numeric_limits<float>::max())
    throw ValueError("csv", "the fill value " + std::to_string(fill) + " is beyond f32");
}

size_t number_of(const CsvColumn& column, const std::vector<std::string>& names, size_t count,
                 const std::string& file) {
  if (const auto* number = std::get_if<int64_t>(&column)) {
    const auto columns = static_cast<int64_t>(count);
    if (*number < -columns || *number >= columns) {
      throw ValueError(file, "has no column " + std::to_string(*number) + ", but " + std::to_string(columns));
    }
    return static_cast<size_t>(*number < 0 ? *number + columns : *number);
  }
  const auto& name = std::get<std::string>(column);
  const auto found = std::find(names.begin(), names.end(), name);
  if (found == names.end()) {
    throw ValueError(file, "has no column '" + name + "'" +
                               (names.empty() ? "; without a header, columns have numbers" : ""));
  }
  if (std::find(found + 1, names.end(), name) != names.end())
    throw ValueError(file, "has several columns '" + name + "'; say which by its number");
  return static_cast<size_t>(found - names.begin());
}

std::vector<Target> targets_of(const CsvOptions& options, const std::vector<std::string>& names, size_t count,
                               const std::string& file) {
  std::vector<Target> targets(count);
  for (size_t i = 0; i < options.labels.size(); ++i) {
    Target& target = targets[number_of(options.labels[i], names, count, file)];
    if (target.label)
      throw ValueError(file, "column " + std::to_string(&target - targets.data()) + " is a label twice");
    target = {.label = true, .place = i};
  }
  size_t next = 0;
  for (Target& target : targets) {
    if (!target.label) target.place = next++;
  }
  return targets;
}

/// How many cells the next line has.
size_t cells_of_next_line(CsvReader reader) {
  size_t count = 0;
  if (!reader.next_line()) return 0;
  for (; !reader.line_ended(); ++count) reader.next_cell();
  return count;
}

void read_row(CsvReader& reader, const std::vector<Target>& targets, Numbers& values, Numbers& labels,
              bool may_be_header) {
  values.add_row();
  labels.add_row();
  size_t column = 0;
  for (; !reader.line_ended(); ++column) {
    const std::string_view cell = trimmed(reader.next_cell());
    if (column >= targets.size()) continue;  // counted for the error
    const Target& target = targets[column];
    if (const char* wrong = (target.label ? labels : values).set(target.place, cell)) {
      const char* const hint = may_be_header                   ? "; is this line a header?"
                               : cell.empty() && !target.label ? "; a fill value would stand for it"
                                                               : "";
      reader.fail(shown(cell) + " " + wrong + hint);
    }
  }
  if (column != targets.size()) {
    reader.fail("the line ends after " + std::to_string(column) + " cells; those before it have " +
                std::to_string(targets.size()));
  }
}

}  // namespace

CsvTable load_csv(const std::filesystem::path& path, const CsvOptions& options) {
  const std::vector<unsigned char> bytes = io::read_gzip_or_plain(path, kMaxBytes);
  return parse_csv({reinterpret_cast<const char*>(bytes.data()), bytes.size()}, options, path.string());
}

CsvTable parse_csv(std::string_view text, const CsvOptions& options, const std::string& name) {
  check(options);
  CsvReader reader(text, options.delimiter, name);
  const size_t count = cells_of_next_line(reader);
  if (count == 0) throw FormatError(name, "has no lines");
  std::vector<std::string> names;
  if (options.header) {
    for (reader.next_line(); !reader.line_ended();) {
      names.emplace_back(reader.next_cell());
      io::check_utf8(names.back(), name + ": the name of column " + std::to_string(names.size()));
    }
  }
  const std::vector<Target> targets = targets_of(options, names, count, name);
  const auto label_count = static_cast<int64_t>(options.labels.size()),
             value_count = static_cast<int64_t>(count) - label_count;
  Numbers values(options.dtype, value_count, options.fill), labels(options.label_dtype, label_count, {});

  // No more than there are bytes: each cell takes one, be it what ends it.
  const auto lines = static_cast<size_t>(std::count(text.begin(), text.end(), '\n')) + 1;
  const size_t rows = std::min(lines, text.size() / count + 1);
  values.reserve(rows * values.width());
  labels.reserve(rows * labels.width());
  int64_t row_count = 0;
  for (; reader.next_line(); ++row_count)
    read_row(reader, targets, values, labels, !options.header && row_count == 0);

  CsvTable table;
  table.values = values.take({row_count, value_count});
  if (label_count > 0) {
    const bool classes = label_count == 1 && options.label_dtype == Dtype::i64;
    table.labels = labels.take(classes ? Shape{row_count} : Shape{row_count, label_count});
  }
  table.label_names.resize(names.empty() ? 0 : options.labels.size());
  for (size_t i = 0; i < names.size(); ++i) {
    if (targets[i].label)
      table.label_names[targets[i].place] = std::move(names[i]);
    else
      table.names.push_back(std::move(names[i]));
  }
  return table;
}

}  // namespace espalier::data
