#pragma once

#include "data/examples.h"

namespace espalier::data {

/// 1,797 handwritten digits, 8 x 8 pixels, embedded in the library: images f32 [N, 1, 8, 8] from 0 (paper) to
/// 1 (ink) and labels i64 [N]. Every fifth image (the 5th, the 10th, ...) is for testing: 1,438 and 359.
///
/// Source: E. Alpaydin, C. Kaynak, "Optical Recognition of Handwritten Digits" (1998), UCI Machine Learning
/// Repository, doi 10.24432/C50P49, the test set of that collection, licence CC BY 4.0.
ESPALIER_API Split digits();

}  // namespace espalier::data
