#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "core/export.h"

namespace espalier::io {

/// The Unicode code point that begins at byte `at` of UTF-8 text (RFC 3629), which must lie inside; `at`
/// moves behind it. Throws FormatError that names the byte where the text is not UTF-8: stray or missing
/// continuation bytes, overlong forms, surrogates, numbers beyond U+10FFFF. `name` stands for the text.
ESPALIER_API char32_t next_code_point(std::string_view text, size_t& at, std::string_view name = "text");

/// Throws FormatError as next_code_point() does unless all of the text is UTF-8.
ESPALIER_API void check_utf8(std::string_view text, std::string_view name = "text");

/// The UTF-8 bytes of a code point. Throws ValueError for a surrogate and what lies beyond U+10FFFF.
ESPALIER_API std::string to_utf8(char32_t code_point);

}  // namespace espalier::io
