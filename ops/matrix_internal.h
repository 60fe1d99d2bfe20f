#pragma once

#include "ops/permute.h"
#include "ops/reshape.h"

namespace espalier {

/// Leading axes joined to the rows of a matrix.
inline Tensor as_matrix(const Tensor& tensor) {
  int64_t rows = 1;
  for (int i = 0; i < tensor.rank() - 1; ++i) rows *= tensor.shape()[i];
  return reshape(tensor, {rows, tensor.shape().back()});
}

/// Its matrices transposed, as a view.
inline Tensor turned(const Tensor& matrices) {
  return transpose(matrices, -2, -1);
}

}  // namespace espalier
