#pragma once

#include <string_view>

namespace espalier::optim {

/// Throws ValueError, on behalf of `where`, unless `allowed`: "momentum is nan; expected ...".
void check_option(std::string_view where, bool allowed, std::string_view option, double value,
                  std::string_view expected);

/// Throws ValueError, on behalf of `where`, unless the option is finite and not negative.
void check_not_negative(std::string_view where, std::string_view option, double value);

/// Throws ValueError, on behalf of `where`, unless the option is 0 or more and less than 1.
void check_fraction(std::string_view where, std::string_view option, double value);

}  // namespace espalier::optim
