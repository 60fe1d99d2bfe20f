#include "core/strided_copy_internal.h"
#include "ops/layout_internal.h"

namespace espalier {

namespace {

bool same_strides(const Shape& shape, const Strides& a, const Strides& b) {
  for (int i = 0; i < shape.rank(); ++i) {
    if (shape[i] != 1 && a[i] != b[i]) return false;
  }
  return true;
}

}  // namespace

bool is_channels_last(const Shape& shape, const Strides& strides) {
  return same_strides(shape, strides, channels_last_strides(shape));
}

bool lies_by(const Tensor& tensor, const Strides& strides) {
  return same_strides(tensor.shape(), tensor.strides(), strides);
}

const void* laid_out(const Tensor& tensor, const Strides& strides, Workspace& work) {
  if (lies_by(tensor, strides)) return tensor.raw_data();
  const size_t element = size_of(tensor.dtype());
  char* const copied = work.take<char>(tensor.numel() * static_cast<int64_t>(element));
  if (copied) copy_strided(copied, strides, tensor.raw_data(), tensor.strides(), tensor.shape(), element);
  return copied;
}

}  // namespace espalier
