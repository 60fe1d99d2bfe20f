#include "data/image_channels.h"

#include <algorithm>
#include <string>

#include "core/error.h"
#include "ops/copy.h"

namespace espalier::data {
namespace {

uint8_t grey(int red, int green, int blue) {
  return static_cast<uint8_t>((299 * red + 587 * green + 114 * blue + 500) / 1000);
}

}  // namespace

Tensor with_channels(const Tensor& image, int64_t channels) {
  if (channels != 1 && channels != 3) {
    throw ValueError("with_channels",
                     std::to_string(channels) + " channels; expected 1 (grey) or 3 (red, green, blue)");
  }
  if (image.rank() != 3 || (image.size(0) != 1 && image.size(0) != 3))
    throw ShapeError("with_channels", "image " + describe(image) + "; expected [1 or 3, H, W]");
  if (image.dtype() != Dtype::u8)
    throw TypeError("with_channels", "image " + describe(image) + "; expected u8");
  if (image.size(0) == channels) return image;

  const Tensor from = contiguous(image);
  Tensor result = empty({channels, image.size(1), image.size(2)}, Dtype::u8);
  const auto* const source = from.data<uint8_t>();
  auto* to = result.mutable_data<uint8_t>();
  const int64_t plane = image.size(1) * image.size(2);
  if (channels == 3) {
    for (int c = 0; c < 3; ++c) to = std::copy_n(source, plane, to);
  } else {
    for (int64_t i = 0; i < plane; ++i) to[i] = grey(source[i], source[plane + i], source[2 * plane + i]);
  }
  return result;
}

}  // namespace espalier::data
