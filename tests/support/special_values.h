#pragma once

#include <limits>

namespace espalier::test {

// In f32, from which they go to f64 without narrowing.
inline constexpr float kInfinity = std::numeric_limits<float>::infinity();
inline constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

}  // namespace espalier::test
