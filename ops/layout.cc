#include "core/strided_copy_internal.h"
#include "ops/layout_internal.h"

namespace espalier {

bool is_channels_last(const Tensor& image) {
  const Strides wanted = channels_last_strides(image.shape());
  for (int i = 0; i < 4; ++i) {
    if (image.shape()[i] != 1 && image.strides()[i] != wanted[i]) return false;
  }
  return true;
}

Tensor laid_out(const Tensor& tensor, const Strides& strides) {
  const Shape& shape = tensor.shape();
  bool same = true;
  for (int i = 0; i < shape.rank(); ++i) same &= shape[i] == 1 || tensor.strides()[i] == strides[i];
  if (same) return tensor;
  const Tensor copy = empty_strided(shape, strides, tensor.dtype());
  copy_strided(copy.raw_data(), strides, tensor.raw_data(), tensor.strides(), shape, size_of(tensor.dtype()));
  return copy;
}

}  // namespace espalier
