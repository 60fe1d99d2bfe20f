#pragma once

#include <algorithm>
#include <cstdint>
#include <functional>
#include <initializer_list>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "core/device.h"
#include "core/dims.h"
#include "core/dtype.h"
#include "core/export.h"
#include "core/ref.h"
#include "core/scalar.h"
#include "core/storage.h"

namespace espalier {

class Tensor;

/// What differentiation hangs on a tensor: the recorded operation that made it, or the accumulator of a leaf.
/// Defined by the tape (autograd/).
class ESPALIER_API GradientNode : public RefCounted {
 public:
  virtual ~GradientNode();
  /// Where a leaf's gradient accumulates; null for the result of an operation.
  virtual Tensor* leaf_gradient() noexcept = 0;
};

/// What a Tensor points to. Shared by handles, immutable but for its gradient link.
class ESPALIER_API TensorBody final : public RefCounted {
 public:
  TensorBody(Ref<Storage> storage_, Dtype dtype_, const Shape& shape_, const Strides& strides_,
             int64_t offset_)
      : storage(std::move(storage_)),
        shape(shape_),
        strides(strides_),
        offset(offset_),
        numel(count(shape_)),
        dtype(dtype_) {}
  /// Not in line: every place where a tensor goes would hold a copy of it.
  ~TensorBody();

  Ref<Storage> storage;
  Shape shape;
  Strides strides;
  int64_t offset;  ///< of the first element, in elements
  int64_t numel;
  Dtype dtype;
  uint32_t gradient_output = 0;     ///< which output of `gradient_node` this tensor is
  Ref<GradientNode> gradient_node;  ///< null where no gradient is wanted
};

/// A cheap handle on an n-dimensional array: copying it shares the elements. A default-constructed tensor is
/// undefined: it stands for "absent" (a missing bias, a gradient that did not flow) and only defined() may be
/// asked of it.
///
/// Different handles, also on the same elements, may be used from different threads; elements may be read by
/// several threads while none writes them.
class ESPALIER_API Tensor {
 public:
  Tensor() = default;
  explicit Tensor(Ref<TensorBody> body) noexcept : body_(std::move(body)) {}

  bool defined() const noexcept { return static_cast<bool>(body_); }
  const Shape& shape() const { return body().shape; }
  const Strides& strides() const { return body().strides; }
  int rank() const { return body().shape.rank(); }
  /// The size of an axis; negative ones count from the end. Throws ShapeError where there is no such axis.
  int64_t size(int64_t axis) const { return shape()[normalize_axis(axis, rank(), "size")]; }
  int64_t numel() const { return body().numel; }
  Dtype dtype() const { return body().dtype; }
  Device device() const { return body().storage->device(); }
  int64_t offset() const { return body().offset; }
  bool is_contiguous() const { return espalier::is_contiguous(shape(), strides()); }
  /// How often the elements' memory was changed in place.
  uint32_t version() const { return body().storage->version(); }

  /// The first element, for reading. Throws TypeError where T is not the tensor's type, DeviceError where the
  /// memory is not the host's.
  template <class T>
  const T* data() const {
    return static_cast<const T*>(host_data(dtype_of<T>()));
  }
  /// The first element, for writing; counts as a change in place.
  template <class T>
  T* mutable_data() {
    T* first = static_cast<T*>(const_cast<void*>(host_data(dtype_of<T>())));
    body_->storage->bump_version("mutable_data");
    return first;
  }
  /// The first element's address on its device, unchecked: for kernels. Null on meta.
  void* raw_data() const {
    char* base = static_cast<char*>(body().storage->data());
    return base ? base + body_->offset * static_cast<int64_t>(size_of(body_->dtype)) : nullptr;
  }

  /// The value of a tensor with one element, converted to double. Throws ShapeError for any other number of
  /// elements.
  double item() const;
  /// All elements in row-major order. Throws TypeError where T is not the tensor's type.
  template <class T>
  std::vector<T> to_vector() const {
    std::vector<T> values(static_cast<size_t>(numel()));
    if constexpr (std::is_same_v<T, bool>) {
      const auto bytes = std::make_unique<bool[]>(values.size());
      copy_elements(bytes.get(), Dtype::boolean);
      values.assign(bytes.get(), bytes.get() + values.size());
    } else {
      copy_elements(values.data(), dtype_of<T>());
    }
    return values;
  }

  /// Whether backward can reach this tensor: a leaf that wants a gradient, or computed from one.
  bool requires_grad() const noexcept { return defined() && static_cast<bool>(body_->gradient_node); }
  /// The gradient that backward accumulated in this leaf; undefined where there is none. Throws GradientError
  /// for a tensor that is not a leaf.
  Tensor grad() const;
  /// Replaces the accumulated gradient; an undefined one clears it. Throws GradientError unless this is a
  /// leaf that requires grad, ShapeError or TypeError where `gradient` does not match.
  void set_grad(Tensor gradient);

  /// The same elements without the gradient link.
  Tensor detach() const;

  /// A handle on the same storage with another layout, unchecked and unrecorded: for kernels and views made
  /// by the door.
  Tensor with_layout(const Shape& shape, const Strides& strides, int64_t offset) const;

  /// What this handle points to. Throws ValueError where it is undefined, as everything does that asks an
  /// undefined tensor for more than defined().
  TensorBody& body() const {
    if (!body_) [[unlikely]]
      throw_undefined();
    return *body_;
  }
  /// Whether two handles denote the same tensor.
  bool is(const Tensor& other) const noexcept { return body_ == other.body_; }

 private:
  [[noreturn]] static void throw_undefined();
  const void* host_data(Dtype wanted) const;
  void copy_elements(void* to, Dtype wanted) const;

  Ref<TensorBody> body_;
};

/// `f32[2, 3]`, with the device where it is not the CPU; `undefined`.
ESPALIER_API std::string describe(const Tensor& tensor);
/// `f32[2, 3], i64[2]`.
ESPALIER_API std::string describe(std::span<const Tensor> tensors);

/// A tensor whose elements have any value. Throws ShapeError for sizes that are negative or too large,
/// MemoryError.
ESPALIER_API Tensor empty(const Shape& shape, Dtype dtype = Dtype::f32, Device device = kCpu);
/// The same with a given layout; `strides` must be dense.
ESPALIER_API Tensor empty_strided(const Shape& shape, const Strides& strides, Dtype dtype,
                                  Device device = kCpu);
/// A tensor of one value. Throws ValueError where `dtype` cannot hold it.
ESPALIER_API Tensor full(const Shape& shape, Scalar value, Dtype dtype = Dtype::f32, Device device = kCpu);
ESPALIER_API Tensor zeros(const Shape& shape, Dtype dtype = Dtype::f32, Device device = kCpu);
ESPALIER_API Tensor ones(const Shape& shape, Dtype dtype = Dtype::f32, Device device = kCpu);

/// A view of memory that belongs to the caller, row-major, without a copy; `release`, if any, is called when
/// the last view is gone.
ESPALIER_API Tensor from_blob(void* data, const Shape& shape, Dtype dtype,
                              std::function<void()> release = {});

/// A tensor with a copy of `values` in row-major order. Throws ShapeError where their number is not that of
/// `shape`.
template <class T>
Tensor from_values(std::span<const T> values, const Shape& shape);
template <class T>
Tensor from_values(std::initializer_list<T> values, const Shape& shape) {
  return from_values(std::span<const T>(values.begin(), values.size()), shape);
}
template <class T>
Tensor from_values(const std::vector<T>& values, const Shape& shape) {
  return from_values(std::span<const T>(values), shape);
}

namespace detail {
ESPALIER_API void check_value_count(size_t values, const Shape& shape);
}  // namespace detail

template <class T>
Tensor from_values(std::span<const T> values, const Shape& shape) {
  detail::check_value_count(values.size(), shape);
  Tensor result = empty(shape, dtype_of<T>());
  std::copy(values.begin(), values.end(), static_cast<T*>(result.raw_data()));
  return result;
}

}  // namespace espalier
