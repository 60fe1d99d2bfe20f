#pragma once

#include <span>
#include <string>
#include <string_view>

namespace espalier::cli {

/// `; did you mean 'epochs'?` where one of the known names is much like `name`, which is none of them; else
/// nothing. Two names are much alike where one becomes the other by a few letters put in, left out, replaced
/// or exchanged with their neighbour (Damerau's distance): at most a third of them.
std::string did_you_mean(std::string_view name, std::span<const std::string> known);

/// `a, b and c`.
std::string listing(std::span<const std::string> names);

}  // namespace espalier::cli
