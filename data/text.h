#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>

#include "data/data_set.h"

namespace espalier::data {

/// The most bytes that read_text() takes: 1 GiB.
inline constexpr size_t kMaxTextBytes = size_t{1} << 30;

/// A text file, as it is or packed by gzip, with nothing changed: line ends and a byte order mark stay.
///
/// Throws IoError where the file cannot be read, FormatError that names the byte where it is not UTF-8
/// (io/utf8.h), and where it has more than kMaxTextBytes.
ESPALIER_API std::string read_text(const std::filesystem::path& path);

/// The windows of a text for a model that says what comes next: example i has the inputs tokens[i, i +
/// context) and, one further on, the labels tokens[i + 1, i + context + 1); a batch is i64 [B, context]
/// twice. There are N - context of them, which overlap; for windows side by side, take a subset() of every
/// context-th number. `tokens`: i64[N], which must not change meanwhile.
///
/// Throws ShapeError, TypeError, and ValueError for a context under 1 or not shorter than the tokens.
ESPALIER_API DataSet windows(const Tensor& tokens, int64_t context);

}  // namespace espalier::data
