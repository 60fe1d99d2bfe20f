#pragma once

#include <algorithm>
#include <string>
#include <string_view>

#include "core/error.h"
#include "ops/elementwise_internal.h"
#include "ops/loss_internal.h"

namespace espalier {

// For kernels that let what they do not take show as NaN, and look for it only then.

/// Whether an element of `tensor`, of any layout, is NaN.
inline bool has_nan(const Tensor& tensor) {
  if (tensor.numel() == 0) return false;
  const ElementwiseLoop loop(tensor, {});
  const int64_t stride = loop.inner().strides[0],
                step = stride * static_cast<int64_t>(size_of(tensor.dtype()));
  int found = 0;
  for_each_row(loop, 0, loop.elements, [&](const ElementwiseRow& row) {
    float tile[kTile];
    for (int64_t begin = 0; begin < row.size; begin += kTile) {
      const int64_t n = std::min(kTile, row.size - begin);
      load_tile(tile, tensor.dtype(), row.data[0] + begin * step, stride, n);
      for (int64_t i = 0; i < n; ++i) found |= tile[i] != tile[i];
    }
  });
  return found != 0;
}

/// Throws ValueError, `name: what 1.5 at position [1, 0] of f32[2, 2] <why>`, for the first element of which
/// `wrong(value)` is true.
template <class Wrong>
void check_elements(std::string_view name, std::string_view what, const Tensor& tensor, Wrong&& wrong,
                    std::string_view why) {
  for (int64_t i = 0; i < tensor.numel(); ++i) {
    const Dims position = position_of(i, tensor.shape());
    int64_t place = 0;
    for (int axis = 0; axis < tensor.rank(); ++axis) place += position[axis] * tensor.strides()[axis];
    place *= static_cast<int64_t>(size_of(tensor.dtype()));
    double value;
    load_tile(&value, tensor.dtype(), static_cast<const char*>(tensor.raw_data()) + place, 1, 1);
    if (!wrong(value)) continue;
    throw ValueError(name, std::string(what) + " " + std::to_string(value) + " at position " +
                               to_string(position) + " of " + describe(tensor) + " " + std::string(why));
  }
}

}  // namespace espalier
