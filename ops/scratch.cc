#include "core/parallel.h"
#include "core/strided_copy_internal.h"
#include "ops/cast.h"
#include "ops/elementwise_internal.h"
#include "ops/layout_internal.h"
#include "ops/scratch_internal.h"

namespace espalier {

void cast_cpu(const Cast& op, Inputs inputs, Outputs outputs);

LocalTensor::LocalTensor(void* data, Dtype dtype, const Shape& shape, const Strides& strides) {
  const size_t bytes = static_cast<size_t>(count(shape)) * size_of(dtype);
  storage_.emplace(data, bytes, kCpu, std::function<void()>());
  storage_->retain();
  body_.emplace(Ref<Storage>(&*storage_), dtype, shape, strides, 0);
  body_->retain();
  tensor_ = Tensor(Ref<TensorBody>(&*body_));
}

namespace {

/// Room for the elements of `shape` in a piece of `work`.
void* room_for(const Shape& shape, Dtype dtype, Workspace& work) {
  return work.take<char>(count(shape) * static_cast<int64_t>(size_of(dtype)));
}

bool lie_alike(const Tensor& a, const Tensor& b) {
  return a.strides() == b.strides() && is_dense(a.shape(), a.strides());
}

char* at(const Tensor& tensor, int64_t element) {
  return static_cast<char*>(tensor.raw_data()) + element * static_cast<int64_t>(size_of(tensor.dtype()));
}

}  // namespace

void convert_floats(const Tensor& from, const Tensor& to) {
  if (!lie_alike(from, to)) {
    Tensor target = to;
    return cast_cpu(Cast(to.dtype()), Inputs(&from, 1), Outputs(&target, 1));
  }
  const bool widens = to.dtype() == Dtype::f32;
  parallel_for(0, from.numel(), kSerialWork, [&](int64_t first, int64_t last) {
    if (widens)
      load_tile(reinterpret_cast<float*>(at(to, first)), from.dtype(), at(from, first), 1, last - first);
    else
      store_tile(reinterpret_cast<const float*>(at(from, first)), to.dtype(), at(to, first), 1, last - first);
  });
}

Strides dense_strides(const Tensor& tensor) {
  return is_dense(tensor.shape(), tensor.strides()) ? tensor.strides() : contiguous_strides(tensor.shape());
}

LocalTensor local_tensor(const Shape& shape, Dtype dtype, Workspace& work) {
  return LocalTensor(room_for(shape, dtype, work), dtype, shape);
}

LocalTensor local_tensor_like(const Tensor& model, Workspace& work) {
  void* const room = room_for(model.shape(), model.dtype(), work);
  return LocalTensor(room, model.dtype(), model.shape(), model.strides());
}

LocalTensor in_layout(const Tensor& tensor, const Strides& strides, Workspace& work) {
  if (!tensor.defined() || lies_by(tensor, strides)) return LocalTensor(tensor);
  const void* const copied = laid_out(tensor, strides, work);
  return LocalTensor(const_cast<void*>(copied), tensor.dtype(), tensor.shape(), strides);
}

LocalTensor in_row_major(const Tensor& tensor, Workspace& work) {
  if (!tensor.defined() || tensor.is_contiguous()) return LocalTensor(tensor);
  return in_layout(tensor, contiguous_strides(tensor.shape()), work);
}

LocalTensor in_row_major_f32(const Tensor& tensor, Workspace& work) {
  if (!tensor.defined() || tensor.dtype() == Dtype::f32) return in_row_major(tensor, work);
  void* const room = room_for(tensor.shape(), Dtype::f32, work);
  if (room) convert_floats(tensor, LocalTensor(room, Dtype::f32, tensor.shape()));
  return LocalTensor(room, Dtype::f32, tensor.shape());
}

Tensor row_major(const Tensor& tensor) {
  if (tensor.is_contiguous()) return tensor;
  const Tensor copied = empty(tensor.shape(), tensor.dtype(), tensor.device());
  copy_strided(copied.raw_data(), copied.strides(), tensor.raw_data(), tensor.strides(), tensor.shape(),
               size_of(tensor.dtype()));
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

}  // namespace espalier
