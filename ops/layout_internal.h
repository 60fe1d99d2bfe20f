#pragma once

#include "core/tensor.h"
#include "core/workspace.h"

namespace espalier {

/// Whether a tensor of axes N, C, H, W lies densely in memory as N, H, W, C. Axes of size 1 do not count.
bool is_channels_last(const Shape& shape, const Strides& strides);
inline bool is_channels_last(const Tensor& image) {
  return is_channels_last(image.shape(), image.strides());
}

/// Whether the elements are at `strides`. Axes of size 1 do not count.
bool lies_by(const Tensor& tensor, const Strides& strides);

/// The elements of `tensor` at `strides` (dense): where they are, or copied to a piece of `work`.
const void* laid_out(const Tensor& tensor, const Strides& strides, Workspace& work);

}  // namespace espalier
