#include "core/parallel.h"
#include "core/strided_copy_internal.h"
#include "ops/elementwise_internal.h"
#include "ops/scratch_internal.h"

namespace espalier {
namespace {

void copy_elements(const Tensor& to, const Tensor& from) {
  copy_strided(to.raw_data(), to.strides(), from.raw_data(), from.strides(), from.shape(),
               size_of(from.dtype()));
}

char* at(const Tensor& tensor, int64_t element) {
  return static_cast<char*>(tensor.raw_data()) + element * static_cast<int64_t>(size_of(tensor.dtype()));
}

}  // namespace

Tensor row_major(const Tensor& tensor) {
  if (tensor.is_contiguous()) return tensor;
  const Tensor copied = empty(tensor.shape(), tensor.dtype(), tensor.device());
  copy_elements(copied, tensor);
  return copied;
}

const void* row_major(const void* data, const Shape& shape, const Strides& strides, size_t element,
                      Workspace& work) {
  if (is_contiguous(shape, strides)) return data;
  char* const copied = work.take<char>(count(shape) * static_cast<int64_t>(element));
  if (copied) copy_strided(copied, contiguous_strides(shape), data, strides, shape, element);
  return copied;
}

const void* row_major(const Tensor& tensor, Workspace& work) {
  return row_major(tensor.raw_data(), tensor.shape(), tensor.strides(), size_of(tensor.dtype()), work);
}

Tensor row_major_f32(const Tensor& tensor) {
  Tensor source = row_major(tensor);
  if (source.dtype() == Dtype::f32) return source;
  const Tensor converted = empty(tensor.shape(), Dtype::f32, tensor.device());
  parallel_for(0, source.numel(), kSerialWork, [&](int64_t first, int64_t last) {
    load_tile(static_cast<float*>(converted.raw_data()) + first, source.dtype(), at(source, first), 1,
              last - first);
  });
  return converted;
}

void store_f32(const Tensor& from, const Tensor& to) {
  const bool direct = to.is_contiguous();
  const Tensor converted = direct ? to : empty(to.shape(), to.dtype(), to.device());
  parallel_for(0, from.numel(), kSerialWork, [&](int64_t first, int64_t last) {
    store_tile(static_cast<const float*>(from.raw_data()) + first, to.dtype(), at(converted, first), 1,
               last - first);
  });
  if (!direct) copy_elements(to, converted);
}

}  // namespace espalier
