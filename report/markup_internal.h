#pragma once

#include <string>
#include <string_view>

namespace espalier::report {

/// Text as it may stand in an element or in a quoted attribute of XML and HTML. Bytes that are no UTF-8 and
/// characters that XML forbids become U+FFFD.
std::string escape(std::string_view text);

/// A number in fixed notation with at most `decimals` of them, without trailing zeros, the same in any
/// locale.
std::string number(double value, int decimals);

/// The width of text in em of the fonts that figures name, at least: exact widths are the viewer's affair.
double text_width(std::string_view text);

/// `text`, or as much of its beginning as is `width` em wide with an ellipsis behind it.
std::string shorten(std::string_view text, double width);

}  // namespace espalier::report
