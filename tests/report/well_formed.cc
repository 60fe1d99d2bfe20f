#include "tests/report/well_formed.h"

#include <regex>
#include <set>
#include <string_view>
#include <vector>

namespace espalier::report::test {
namespace {

/// The place of the first byte that is no part of a legal character, or npos.
size_t illegal_character(std::string_view text) {
  for (size_t i = 0; i < text.size();) {
    const auto byte = [&](size_t n) {
      return i + n < text.size() ? static_cast<unsigned char>(text[i + n]) : 0u;
    };
    const unsigned lead = byte(0);
    const size_t bytes = lead < 0x80                   ? 1
                         : lead >= 0xc2 && lead < 0xe0 ? 2
                         : (lead & 0xf0) == 0xe0       ? 3
                         : lead >= 0xf0 && lead < 0xf5 ? 4
                                                       : 0;
    if (bytes == 0 || (lead < 0x20 && lead != '\n' && lead != '\t' && lead != '\r')) return i;
    for (size_t n = 1; n < bytes; ++n)
      if ((byte(n) & 0xc0) != 0x80) return i;
    i += bytes;
  }
  return std::string::npos;
}

}  // namespace

std::string ill_formed(const std::string& text) {
  const auto at = [&](size_t place, const std::string& what) {
    return what + " at byte " + std::to_string(place);
  };
  if (const size_t place = illegal_character(text); place != std::string::npos)
    return at(place, "an illegal character");
  static const std::regex entity("&(?!(amp|lt|gt|quot|#[0-9]+);)");
  static const std::regex attribute("^\\s+([a-zA-Z][-a-zA-Z0-9:]*)=\"[^\"<]*\"");
  static const std::regex name("^[a-zA-Z][a-zA-Z0-9]*");
  if (std::smatch match; std::regex_search(text, match, entity))
    return at(static_cast<size_t>(match.position()), "a stray &");

  std::vector<std::string> open;
  bool begun = false;
  size_t place = 0;
  if (text.starts_with("<!DOCTYPE html>\n")) place = text.find('\n') + 1;
  while ((place = text.find('<', place)) != std::string::npos) {
    const bool closing = text.compare(place, 2, "</") == 0;
    const size_t end = text.find('>', place);
    if (end == std::string::npos) return at(place, "a tag without end");
    std::string rest = text.substr(place + (closing ? 2 : 1), end - place - (closing ? 2 : 1));
    std::smatch match;
    if (!std::regex_search(rest, match, name)) return at(place, "a tag without name");
    const std::string tag = match.str();
    rest = match.suffix();
    if (open.empty() && begun) return at(place, "a second root");
    if (closing) {
      if (open.empty() || open.back() != tag || !rest.empty()) return at(place, "a wrong </" + tag + ">");
      open.pop_back();
    } else {
      begun = true;
      std::set<std::string> seen;
      while (std::regex_search(rest, match, attribute)) {
        if (!seen.insert(match[1]).second) return at(place, "the attribute " + match[1].str() + " twice");
        rest = match.suffix();
      }
      if (rest.empty())
        open.push_back(tag);
      else if (rest != "/")
        return at(place, "no attribute: " + rest);
    }
    place = end + 1;
  }
  if (!open.empty()) return "<" + open.back() + "> is not closed";
  return begun ? "" : "no element";
}

}  // namespace espalier::report::test
