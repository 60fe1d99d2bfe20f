#include <cmath>
#include <cstdio>
#include <string>

#include "core/error.h"
#include "optim/options_internal.h"

namespace espalier::optim {

void check_option(std::string_view where, bool allowed, std::string_view option, double value,
                  std::string_view expected) {
  if (allowed) return;
  char number[32];
  std::snprintf(number, sizeof number, "%g", value);
  throw ValueError(where, std::string(option) + " is " + number + "; expected " + std::string(expected));
}

void check_not_negative(std::string_view where, std::string_view option, double value) {
  check_option(where, std::isfinite(value) && value >= 0, option, value, "a finite number, 0 or more");
}

void check_fraction(std::string_view where, std::string_view option, double value) {
  check_option(where, value >= 0 && value < 1, option, value, "0 or more and less than 1");
}

}  // namespace espalier::optim
