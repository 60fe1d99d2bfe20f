#pragma once

#include "core/tensor.h"
#include "core/workspace.h"

namespace espalier {

// Memory for the inside of a CPU kernel: nothing here goes through the door, so no listener hears of it.

/// `tensor` in row-major memory: itself, or a copy.
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

/// `tensor`, of any type, as f32 in row-major memory: itself, or a copy.
Tensor row_major_f32(const Tensor& tensor);

/// Writes `from`, f32 in row-major memory, to `to` of the same shape, any layout and type.
void store_f32(const Tensor& from, const Tensor& to);

}  // namespace espalier
