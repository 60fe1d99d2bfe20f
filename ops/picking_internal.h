#pragma once

#include <string_view>

#include "core/door.h"
#include "core/error.h"

namespace espalier {

// What operations have in common whose second input says which elements or rows of the first are meant.

/// Throws TypeError unless that input is of type i32 or i64.
inline void check_picking_index(std::string_view name, Inputs inputs) {
  if (inputs[1].dtype() == Dtype::i64 || inputs[1].dtype() == Dtype::i32) return;
  throw TypeError(name, "inputs " + describe(inputs) + "; expected indices of type i32 or i64");
}

/// Of the table only what is picked is read, however often.
inline Cost cost_of_picking(const Tensor& index, const OutputSpec& picked) {
  return {.flops = 0,
          .bytes = index.numel() * static_cast<int64_t>(size_of(index.dtype())) +
                   2 * count(picked.shape) * static_cast<int64_t>(size_of(picked.dtype))};
}

}  // namespace espalier
