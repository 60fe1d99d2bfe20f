#pragma once

#include <cstdint>

#include "core/tensor.h"

namespace espalier::data {

/// An image u8 [1 or 3, H, W], row-major, with `channels`: of grey, three equal ones; of red, green and blue,
/// the grey 0.299 red + 0.587 green + 0.114 blue (ITU-R BT.601), rounded to nearest. The image itself where
/// it has as many. Throws TypeError and ShapeError for another image, ValueError for `channels` that are
/// neither 1 nor 3.
ESPALIER_API Tensor with_channels(const Tensor& image, int64_t channels);

}  // namespace espalier::data
