#include <cmath>
#include <numbers>

#include "data/image_batch_internal.h"

namespace espalier::data {
namespace {

/// From a place in the result to one in the image, both seen from the middle: x' = a x + b y + c.
struct Affine {
  double xx, xy, x0, yx, yy, y0;
};

Affine draw_affine(const AffineOptions& options, const ImageBatch& images, RandomStream& random) {
  const auto between = [&](double low, double high) { return low + (high - low) * random.uniform(); };
  const double angle = between(-options.degrees, options.degrees) * std::numbers::pi / 180;
  const double right = between(-options.shift, options.shift) * static_cast<double>(images.width),
               down = between(-options.shift, options.shift) * static_cast<double>(images.height);
  const double scale = between(options.scale_low, options.scale_high);
  const double cosine = std::cos(angle) / scale, sine = std::sin(angle) / scale;
  return {cosine, sine, -(cosine * right + sine * down), -sine, cosine, sine * right - cosine * down};
}

/// Where a pixel of the result comes from: the four pixels around a place and their shares. What lies outside
/// has the share 0 and stands for the first pixel.
struct Corners {
  int64_t place[4];
  float share[4];
};

Corners corners(double x, double y, int64_t width, int64_t height) {
  const double left = std::floor(x), top = std::floor(y);
  const auto fx = static_cast<float>(x - left), fy = static_cast<float>(y - top);
  const float shares[4] = {(1 - fx) * (1 - fy), fx * (1 - fy), (1 - fx) * fy, fx * fy};
  Corners result{};
  for (int i = 0; i < 4; ++i) {
    const double column = left + i % 2, row = top + i / 2;  // NOLINT(bugprone-integer-division): a bit each
    if (column < 0 || column >= static_cast<double>(width) || row < 0 || row >= static_cast<double>(height))
      continue;
    result.place[i] = static_cast<int64_t>(row) * width + static_cast<int64_t>(column);
    result.share[i] = shares[i];
  }
  return result;
}

template <class T>
void transform_image(const T* from, T* to, const ImageBatch& shape, const Affine& affine) {
  const double middle_x = static_cast<double>(shape.width - 1) / 2,
               middle_y = static_cast<double>(shape.height - 1) / 2;
  for (int64_t row = 0; row < shape.height; ++row) {
    for (int64_t column = 0; column < shape.width; ++column) {
      const double x = static_cast<double>(column) - middle_x, y = static_cast<double>(row) - middle_y;
      const Corners around =
          corners(affine.xx * x + affine.xy * y + affine.x0 + middle_x,
                  affine.yx * x + affine.yy * y + affine.y0 + middle_y, shape.width, shape.height);
      for (int64_t c = 0; c < shape.channels; ++c) {
        const T* plane = from + c * shape.plane();
        float value = std::is_same_v<T, uint8_t> ? 0.5F : 0;  // rounds when it is cut off
        for (int i = 0; i < 4; ++i) value += around.share[i] * static_cast<float>(plane[around.place[i]]);
        to[c * shape.plane() + row * shape.width + column] = static_cast<T>(value);
      }
    }
  }
}

}  // namespace

Transform random_affine(const AffineOptions& options) {
  const auto& [degrees, shift, scale_low, scale_high, per] = options;
  if (!(degrees >= 0 && degrees <= 360 && shift >= 0 && shift <= 1 && scale_low > 0 &&
        scale_low <= scale_high && std::isfinite(scale_high))) {
    throw ValueError("random_affine", "degrees " + std::to_string(degrees) + ", shift " +
                                          std::to_string(shift) + ", scale " + std::to_string(scale_low) +
                                          " to " + std::to_string(scale_high) +
                                          "; expected degrees from 0 to 360, a shift from 0 to 1 and scales "
                                          "that are positive and rise");
  }
  return [options](const Examples& batch, RandomStream& random) {
    const ImageBatch from = image_batch("random_affine", batch.inputs);
    const std::vector<Affine> drawn =
        draw_per(options.per, from.images, [&] { return draw_affine(options, from, random); });
    const Tensor to = empty(from.tensor.shape(), from.tensor.dtype());
    if (from.tensor.numel() == 0) return Examples{to, batch.labels};
    with_pixel_type(from, [&]<class T>(T) {
      const T* source = from.tensor.data<T>();
      T* target = static_cast<T*>(to.raw_data());
      for (const Affine& affine : drawn) {
        transform_image(source, target, from, affine);
        source += from.pixels();
        target += from.pixels();
      }
    });
    return Examples{to, batch.labels};
  };
}

}  // namespace espalier::data
