#pragma once

#include <ostream>
#include <string>

#include "core/tensor.h"

namespace espalier {

/// The elements as NumPy 2.4 prints an array of them: aligned; at most 8 digits behind the point, fewer where
/// they say which number of the type it is; scientific where the largest is over 1000 times the smallest, or
/// numbers are below 1e-4 or from 1e8 on (1e6 in f32, 1e3 in narrower types); more than 1000 elements are
/// summarised by the first and last three of each axis. A tensor without axes is printed as a number, in
/// full. Elements on another device are copied to the host; on meta there are none: `...`.
ESPALIER_API std::string to_string(const Tensor& tensor);

/// The elements, and type and shape behind them, on a line of their own where the elements take several:
/// `[1. 2.] f32[2]`. What is undefined says so.
ESPALIER_API std::ostream& operator<<(std::ostream& out, const Tensor& tensor);

}  // namespace espalier
