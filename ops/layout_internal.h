#pragma once

#include "core/tensor.h"
#include "core/workspace.h"

namespace espalier {

/// Whether a tensor of axes N, C, H, W lies densely in memory as N, H, W, C. Axes of size 1 do not count.
bool is_channels_last(const Tensor& image);

/// `tensor`, on the CPU, with its elements at `strides` (dense): itself, or a copy that no gradient flows
/// through. For kernels.
Tensor laid_out(const Tensor& tensor, const Strides& strides);
/// The elements of such a tensor: where they are, or copied to a piece of `work`.
const void* laid_out(const Tensor& tensor, const Strides& strides, Workspace& work);

}  // namespace espalier
