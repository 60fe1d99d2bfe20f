#pragma once

#include <cstdint>
#include <vector>

#include "data/batches.h"

namespace espalier::data {

// Transforms of batches of images, inputs [N, C, H, W] in u8 or f32, for BatchOptions. They throw ShapeError
// and TypeError for inputs that are not, when a batch is made; ValueError for their options, when they are
// made. Those that go by chance draw for each image, or, where `per` says so, once for the whole batch.

enum class Per : uint8_t { image, batch };

/// Pads each side with `padding` zeros and cuts out a part of the image's size at a place that goes by
/// chance: a shift by up to `padding` pixels. Throws ValueError for less than 0.
ESPALIER_API Transform random_crop(int64_t padding, Per per = Per::image);

/// Mirrors left and right with this probability.
ESPALIER_API Transform random_flip(double probability = 0.5, Per per = Per::image);

struct AffineOptions {
  double degrees = 0;    ///< turns by up to so much, either way
  double shift = 0;      ///< moves by up to this share of the width and height
  double scale_low = 1;  ///< enlarges by a factor from scale_low to scale_high
  double scale_high = 1;
  Per per = Per::image;
};

/// Turns, moves and scales about the middle by chance, with bilinear interpolation between pixels (rounded to
/// nearest in u8) and zeros outside.
ESPALIER_API Transform random_affine(const AffineOptions& options);

/// Sets a square of `size` pixels a side to zero; its middle is any pixel, and what of it lies outside is cut
/// off. T. DeVries, G. Taylor, "Improved regularization of convolutional neural networks with cutout",
/// arXiv:1708.04552. After normalise(), zero is the mean.
ESPALIER_API Transform cutout(int64_t size, Per per = Per::image);

/// (x - mean) / deviation by channel, f32. Pixels of u8 count from 0 to 1 (they are divided by 255). One
/// value stands for all channels.
ESPALIER_API Transform normalise(std::vector<double> mean, std::vector<double> deviation);

/// Labels (class numbers) become f32 [N, classes] of 0 and 1. Throws ValueError, when a batch is made, for a
/// label outside [0, classes).
ESPALIER_API Transform one_hot(int64_t classes);

/// Mixes each example, inputs f32 and labels f32 (see one_hot), with another one of its batch in the shares l
/// and 1 - l, with l of a Beta(alpha, alpha) distribution, drawn once for the batch. H. Zhang, M. Cisse, Y.
/// Dauphin, D. Lopez-Paz, "mixup: beyond empirical risk minimization", ICLR 2018.
ESPALIER_API Transform mixup(double alpha);

}  // namespace espalier::data
