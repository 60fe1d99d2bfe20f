#pragma once

#include <cstdint>
#include <string_view>

#include "core/attributes.h"

namespace espalier {

/// What becomes of a loss's terms. The mean of no terms is NaN, their sum 0.
enum class LossReduction : uint8_t {
  mean,  ///< their sum over their number, or over the sum of the weights where a loss says so
  sum,
  none,  ///< the terms themselves, each in its place
};

/// `mean`, `sum`, `none`.
ESPALIER_API std::string_view to_string(LossReduction reduction) noexcept;
ESPALIER_API void visit_attribute(AttributeVisitor& visit, std::string_view name, LossReduction& reduction);

}  // namespace espalier
