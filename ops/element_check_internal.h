#pragma once

#include <cmath>
#include <string>
#include <string_view>

#include "core/error.h"
#include "ops/elementwise_internal.h"
#include "ops/loss_internal.h"
#include "ops/scratch_internal.h"

namespace espalier {

// For kernels that let what they do not take show as NaN, and look for it only then.

/// Whether an element of `tensor`, of any layout, is NaN.
inline bool has_nan(const Tensor& tensor) {
  if (tensor.numel() == 1) return std::isnan(tensor.item());
  const Tensor values = row_major_f32(tensor);
  const auto* data = static_cast<const float*>(values.raw_data());
  int found = 0;
  for (int64_t i = 0; i < values.numel(); ++i) found |= data[i] != data[i];
  return found != 0;
}

/// Throws ValueError, `name: what 1.5 at position [1, 0] of f32[2, 2] <why>`, for the first element of which
/// `wrong(value)` is true.
template <class Wrong>
void check_elements(std::string_view name, std::string_view what, const Tensor& tensor, Wrong&& wrong,
                    std::string_view why) {
  const Tensor values = row_major(tensor);
  for (int64_t i = 0; i < values.numel(); ++i) {
    double value;
    const int64_t place = i * static_cast<int64_t>(size_of(values.dtype()));
    load_tile(&value, values.dtype(), static_cast<const char*>(values.raw_data()) + place, 1, 1);
    if (!wrong(value)) continue;
    throw ValueError(name, std::string(what) + " " + std::to_string(value) + " at position " +
                               to_string(position_of(i, tensor.shape())) + " of " + describe(tensor) + " " +
                               std::string(why));
  }
}

}  // namespace espalier
