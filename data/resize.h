#pragma once

#include <cstdint>

#include "core/tensor.h"

namespace espalier::data {

/// Images u8 or f32 [C, H, W] or [N, C, H, W] at another size, of the same type. A pixel of the result is the
/// mean of the pixels around its place, with weights that fall off linearly: to zero one pixel away where the
/// image grows ("bilinear"), and one pixel of the result away where it shrinks, so that every pixel counts
/// and fine patterns fade instead of turning into coarse ones ("antialiased"). The axes are treated one after
/// the other; at the image's edge the weights are those of the pixels that are there. This is what Pillow
/// calls BILINEAR. Values of u8 are rounded to the nearest once, at the end. An axis that keeps its size
/// keeps its values, bit by bit.
///
/// Takes time in proportion to H x W + height x W + height x width, memory for one row beside the result.
///
/// Throws TypeError for other types, ShapeError for other ranks and images without a pixel, ValueError for a
/// height or width under 1 and for more than io::kMaxImagePixels, DeviceError for a tensor that is not in the
/// host's memory, ValueError for an undefined one. Any thread may call it.
ESPALIER_API Tensor resize(const Tensor& images, int64_t height, int64_t width);

/// The middle of images as a square of `size` x `size` pixels: what resize() makes of them when the shorter
/// side becomes `size` and the longer one size * longer / shorter, rounded down, without what sticks out at
/// both ends of that (where it is an odd number of pixels, one more at the right or below). Only what is
/// kept is computed, so a long and thin image needs no more memory than another.
///
/// Throws what resize() does.
ESPALIER_API Tensor middle_square(const Tensor& images, int64_t size);

}  // namespace espalier::data
