#pragma once

#include <ostream>
#include <span>
#include <string>
#include <vector>

#include "core/export.h"
#include "core/tensor.h"

namespace espalier::report {

/// A curve: values at evenly spaced places.
struct Curve {
  std::string name;
  std::vector<double> values;
};

/// Curves in one frame, drawn with Braille dots, each `width` x `height` characters at most; values that are
/// not finite are left out. With several curves, each is named on the frame's right at its last value.
ESPALIER_API void plot_curves(std::ostream& out, std::span<const Curve> curves, int width = 64,
                              int height = 12);

/// Grey images side by side, two pixels to a character (upper and lower half), `captions` below. `images` is
/// f32 [N, 1, H, W] from 0 to 1. Where `colour` is true, 24-bit terminal colours; else shades of the
/// character set.
ESPALIER_API void print_images(std::ostream& out, const Tensor& images, std::span<const std::string> captions,
                               bool colour);

}  // namespace espalier::report
