#pragma once

#include <optional>

#include "core/tensor.h"
#include "core/workspace.h"

namespace espalier {

// Memory for the inside of a CPU kernel: nothing here goes through the door, so no listener hears of it, and
// nothing is taken from the heap or an allocator unless it is said.

/// A tensor for the time of a kernel: one that there is, or elements in scratch memory with a handle on the
/// stack. Who gets it must not keep it.
class LocalTensor {
 public:
  explicit LocalTensor(const Tensor& tensor) : tensor_(tensor) {}
  /// `data` may be null, where elements are only counted.
  LocalTensor(void* data, Dtype dtype, const Shape& shape, const Strides& strides);
  /// The same in row-major memory.
  LocalTensor(void* data, Dtype dtype, const Shape& shape)
      : LocalTensor(data, dtype, shape, contiguous_strides(shape)) {}
  LocalTensor(const LocalTensor&) = delete;
  LocalTensor& operator=(const LocalTensor&) = delete;

  const Tensor& get() const noexcept { return tensor_; }
  operator const Tensor&() const noexcept { return tensor_; }
  const Tensor* operator->() const noexcept { return &tensor_; }

 private:
  // Owners of themselves, so that no handle deletes them.
  std::optional<Storage> storage_;
  std::optional<TensorBody> body_;
  Tensor tensor_;
};

/// Elements of any value in a piece of `work`, row-major.
LocalTensor local_tensor(const Shape& shape, Dtype dtype, Workspace& work);
/// The same of the type, shape and strides (dense) of `model`.
LocalTensor local_tensor_like(const Tensor& model, Workspace& work);
/// `tensor` with its elements at `strides` (dense): itself, or a copy in `work`. Absent ones stay absent.
LocalTensor in_layout(const Tensor& tensor, const Strides& strides, Workspace& work);
/// The same in row-major memory.
LocalTensor in_row_major(const Tensor& tensor, Workspace& work);
/// `tensor`, of a floating type no wider than f32, as f32 in row-major memory.
LocalTensor in_row_major_f32(const Tensor& tensor, Workspace& work);

/// `tensor` in row-major memory: itself, or a copy in memory of its own, for what is made before a run.
Tensor row_major(const Tensor& tensor);

/// The elements of `tensor` in row-major memory: where they are, or copied to a piece of `work`.
const void* row_major(const Tensor& tensor, Workspace& work);
/// The same of elements of `element` bytes that lie by `strides`.
const void* row_major(const void* data, const Shape& shape, const Strides& strides, size_t element,
                      Workspace& work);
/// The same of a tensor of T's type; null where it is undefined.
template <class T>
const T* row_major_as(const Tensor& tensor, Workspace& work) {
  return tensor.defined() ? static_cast<const T*>(row_major(tensor, work)) : nullptr;
}

/// The strides of a tensor if they are dense, else those of row-major memory.
Strides dense_strides(const Tensor& tensor);
/// Copies `from` to `to` of the same shape, of other layouts and floating types; one of the two is f32.
void convert_floats(const Tensor& from, const Tensor& to);

}  // namespace espalier
