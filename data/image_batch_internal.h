#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "core/error.h"
#include "data/transforms.h"
#include "ops/copy.h"

namespace espalier::data {

/// A batch of images, row-major.
struct ImageBatch {
  Tensor tensor;
  int64_t images, channels, height, width;

  int64_t plane() const { return height * width; }
  int64_t pixels() const { return channels * plane(); }
};

/// Throws ShapeError or TypeError unless `inputs` are u8 or f32 [N, C, H, W].
inline ImageBatch image_batch(std::string_view name, const Tensor& inputs) {
  if (inputs.rank() != 4)
    throw ShapeError(name, "inputs " + describe(inputs) + " are not images [N, C, H, W]");
  if (inputs.dtype() != Dtype::u8 && inputs.dtype() != Dtype::f32)
    throw TypeError(name, "inputs " + describe(inputs) + "; images are u8 or f32");
  return {contiguous(inputs.detach()), inputs.size(0), inputs.size(1), inputs.size(2), inputs.size(3)};
}

/// Calls `work` with a value of the images' type.
template <class Work>
void with_pixel_type(const ImageBatch& batch, Work&& work) {
  if (batch.tensor.dtype() == Dtype::u8)
    work(uint8_t{});
  else
    work(float{});
}

/// Draws one thing for each image or for all of them.
template <class Draw>
auto draw_per(Per per, int64_t images, Draw&& draw) {
  std::vector<decltype(draw())> drawn(static_cast<size_t>(images));
  for (size_t i = 0; i < drawn.size(); ++i) drawn[i] = per == Per::batch && i > 0 ? drawn[0] : draw();
  return drawn;
}

}  // namespace espalier::data
