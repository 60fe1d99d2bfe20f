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

namespace {

bool lies_by(const Tensor& tensor, const Strides& strides) {
  const Shape& shape = tensor.shape();
  for (int i = 0; i < shape.rank(); ++i) {
    if (shape[i] != 1 && tensor.strides()[i] != strides[i]) return false;
  }
  return true;
}

}  // namespace

Tensor laid_out(const Tensor& tensor, const Strides& strides) {
  if (lies_by(tensor, strides)) return tensor;
  const Tensor copy = empty_strided(tensor.shape(), strides, tensor.dtype());
  copy_strided(copy.raw_data(), strides, tensor.raw_data(), tensor.strides(), tensor.shape(),
               size_of(tensor.dtype()));
  return copy;
}

const void* laid_out(const Tensor& tensor, const Strides& strides, Workspace& work) {
  if (lies_by(tensor, strides)) return tensor.raw_data();
  const size_t element = size_of(tensor.dtype());
  char* const copied = work.take<char>(tensor.numel() * static_cast<int64_t>(element));
  if (copied) copy_strided(copied, strides, tensor.raw_data(), tensor.strides(), tensor.shape(), element);
  return copied;
}

}  // namespace espalier
