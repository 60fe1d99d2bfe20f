#pragma once

#include <string>

namespace espalier::report::test {

/// What keeps the text from being well-formed XML, as far as pages and figures use it: elements that nest,
/// quoted attributes without duplicates, the five known entities and numbered ones, a doctype, legal UTF-8
/// characters. Empty where nothing does.
std::string ill_formed(const std::string& text);

}  // namespace espalier::report::test
