#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "core/tensor.h"

namespace espalier::data {

/// A column by its number, from 0, negative ones from the end, or by its name in the header.
using CsvColumn = std::variant<int64_t, std::string>;

/// How a CSV file is written, and what is wanted of it.
struct CsvOptions {
  char delimiter = ',';
  bool header = true;                  ///< whether the first line names the columns
  std::vector<CsvColumn> labels = {};  ///< columns that go to the labels, in this order
  std::optional<double> fill = {};     ///< for empty cells that are no labels; otherwise they are an error
  Dtype dtype = Dtype::f32;            ///< of the values: f32 or f64
  Dtype label_dtype = Dtype::i64;      ///< of the labels: i64, f32 or f64
};

/// The numbers of a CSV file. `{table.values, table.labels}` are Examples.
struct CsvTable {
  Tensor values;                   ///< [rows, columns], without those of the labels
  Tensor labels;                   ///< [rows] for one column of i64, else [rows, columns]; undefined for none
  std::vector<std::string> names;  ///< of the columns of `values`; none without a header
  std::vector<std::string> label_names;  ///< of the columns of `labels`
};

/// Reads a CSV file of numbers, as it is or packed by gzip. Cells and lines are as RFC 4180 has them: cells
/// may stand in quotes, and then hold delimiters, line ends and doubled quotes; lines end in CR LF or LF,
/// the last one perhaps in neither. A byte order mark at the beginning and lines without any byte are passed
/// over, as are spaces and tabs around a number. Numbers are decimal, with or without a sign, fraction and
/// exponent, `inf` or `nan`; they are rounded to the nearest value of their type, to 0 where they are too
/// small for it. Labels of i64 may be written as `3.0`, too.
///
/// Throws IoError where the file cannot be read. Throws FormatError that names line and column, both from 1,
/// for a cell that is empty, no number or too large for its type, for lines of different lengths and for
/// quotes that do not match; also for names that are not UTF-8 and for a file without lines or of more than
/// 4 GiB. Throws ValueError for a delimiter that numbers or lines are made of, a column that is not there,
/// comes twice or whose name does, and a fill beyond f32; TypeError for other types. Memory is bounded by the
/// file's size.
ESPALIER_API CsvTable load_csv(const std::filesystem::path& path, const CsvOptions& options = {});

/// The same from memory. `name` stands for the file in errors.
ESPALIER_API CsvTable parse_csv(std::string_view text, const CsvOptions& options = {},
                                const std::string& name = "csv");

}  // namespace espalier::data
