#include "core/tensor.h"

#include <cmath>
#include <cstring>
#include <limits>
#include <utility>

#include "core/backend.h"
#include "core/door.h"
#include "core/element_internal.h"
#include "core/error.h"
#include "core/host_copy_internal.h"
#include "core/strided_copy_internal.h"

namespace espalier {

GradientNode::~GradientNode() = default;

TensorBody::~TensorBody() = default;

void Tensor::throw_undefined() {
  throw ValueError(
      "tensor",
      "an undefined tensor (default-constructed, or an absent gradient) was used as if it had elements");
}

const void* Tensor::host_data(Dtype wanted) const {
  if (dtype() != wanted) {
    throw TypeError("data",
                    describe(*this) + " was asked for its elements as " + std::string(to_string(wanted)));
  }
  if (device().type != DeviceType::cpu) {
    throw DeviceError("data", describe(*this) + " is not in the host's memory; copy it to cpu first");
  }
  return raw_data();
}

void Tensor::copy_elements(void* to, Dtype wanted) const {
  const void* from = host_data(wanted);
  const Strides dense = contiguous_strides(shape());
  copy_strided(to, dense, from, strides(), shape(), size_of(wanted));
}

double Tensor::item() const {
  if (!defined() || numel() != 1)
    throw ShapeError("item", describe(*this) + " does not have exactly one element");
  const void* first = host_data(dtype());
  return visit_dtype(dtype(), [&](auto tag) {
    using T = typename decltype(tag)::type;
    const T value = *static_cast<const T*>(first);
    if constexpr (std::is_arithmetic_v<T>)
      return static_cast<double>(value);
    else
      return static_cast<double>(static_cast<float>(value));
  });
}

Tensor Tensor::grad() const {
  if (!requires_grad()) return {};
  Tensor* gradient = body_->gradient_node->leaf_gradient();
  if (!gradient) {
    throw GradientError(
        "grad",
        describe(*this) +
            " is not a leaf: backward keeps gradients only for leaves; ask grad() of autograd for it");
  }
  return *gradient;
}

void Tensor::set_grad(Tensor gradient) {
  Tensor* place = requires_grad() ? body_->gradient_node->leaf_gradient() : nullptr;
  if (!place) throw GradientError("set_grad", describe(*this) + " is not a leaf that requires a gradient");
  if (gradient.defined()) {
    if (gradient.shape() != shape())
      throw ShapeError("set_grad", describe(gradient) + " given for " + describe(*this));
    if (gradient.dtype() != dtype())
      throw TypeError("set_grad", describe(gradient) + " given for " + describe(*this));
    if (gradient.device() != device())
      throw DeviceError("set_grad", describe(gradient) + " given for " + describe(*this));
  }
  *place = std::move(gradient);
}

Tensor Tensor::detach() const {
  return defined() ? with_layout(shape(), strides(), offset()) : Tensor();
}

Tensor Tensor::with_layout(const Shape& shape, const Strides& strides, int64_t offset) const {
  return Tensor(make_ref<TensorBody>(body_->storage, dtype(), shape, strides, offset));
}

std::string describe(const Tensor& tensor) {
  if (!tensor.defined()) return "undefined";
  std::string text(to_string(tensor.dtype()));
  text += to_string(tensor.shape());
  if (tensor.device() != kCpu) text += " on " + to_string(tensor.device());
  return text;
}

std::string describe(std::span<const Tensor> tensors) {
  std::string text;
  for (const Tensor& tensor : tensors) {
    if (!text.empty()) text += ", ";
    text += describe(tensor);
  }
  return text;
}

Tensor empty_strided(const Shape& shape, const Strides& strides, Dtype dtype, Device device) {
  const auto bytes = static_cast<size_t>(checked_count(shape, "empty")) * size_of(dtype);
  return Tensor(make_ref<TensorBody>(make_ref<Storage>(bytes, device), dtype, shape, strides, 0));
}

Tensor empty(const Shape& shape, Dtype dtype, Device device) {
  return empty_strided(shape, contiguous_strides(shape), dtype, device);
}

namespace {

/// `value` as an element; integers must be in range.
template <class T>
T element_of(Scalar value, Dtype dtype) {
  if constexpr (std::is_same_v<T, bool>) {
    return value.to_double() != 0;
  } else if constexpr (std::is_integral_v<T>) {
    // The largest double below 2^63 and the like is what counts: a bound itself may round up to the first
    // number that does not fit.
    const bool fits = value.is_floating()
                          ? value.to_double() >= static_cast<double>(std::numeric_limits<T>::min()) &&
                                value.to_double() < std::ldexp(1.0, std::numeric_limits<T>::digits)
                          : std::in_range<T>(value.to_int());
    if (!fits) {
      throw ValueError("full", std::to_string(value.to_double()) + " is outside the range of " +
                                   std::string(to_string(dtype)));
    }
    return value.is_floating() ? static_cast<T>(value.to_double()) : static_cast<T>(value.to_int());
  } else if constexpr (std::is_floating_point_v<T>) {
    return static_cast<T>(value.to_double());
  } else {
    return T(static_cast<float>(value.to_double()));
  }
}

}  // namespace

void write_element(void* to, Scalar value, Dtype dtype) {
  visit_dtype(dtype, [&](auto tag) {
    using T = typename decltype(tag)::type;
    const T element = element_of<T>(value, dtype);
    std::memcpy(to, &element, sizeof element);
  });
}

void copy_from_host(const Tensor& to, const void* from, size_t bytes) {
  Backend& owner = backend(to.device());
  const Stream stream = owner.current_stream(to.device());
  owner.copy(to.raw_data(), to.device(), from, kCpu, bytes, stream);
  owner.synchronize(stream);
}

Tensor moved_from_host(const Tensor& made, Device device) {
  device = device_of_values(device);
  if (device == kCpu) return made;
  Tensor result = empty_strided(made.shape(), made.strides(), made.dtype(), device);
  if (device.type != DeviceType::meta)
    copy_from_host(result, made.raw_data(), static_cast<size_t>(made.numel()) * size_of(made.dtype()));
  return result;
}

Tensor full(const Shape& shape, Scalar value, Dtype dtype, Device device) {
  device = device_of_values(device);
  Tensor result = empty(shape, dtype, device);
  if (device.type == DeviceType::meta) return result;
  visit_dtype(dtype, [&](auto tag) {
    using T = typename decltype(tag)::type;
    const T element = element_of<T>(value, dtype);
    if (device.type == DeviceType::cpu) {
      std::fill_n(static_cast<T*>(result.raw_data()), result.numel(), element);
    } else {
      const auto elements = std::make_unique<T[]>(static_cast<size_t>(result.numel()));
      std::fill_n(elements.get(), result.numel(), element);
      copy_from_host(result, elements.get(), static_cast<size_t>(result.numel()) * sizeof(T));
    }
  });
  return result;
}

Tensor zeros(const Shape& shape, Dtype dtype, Device device) {
  return full(shape, 0, dtype, device);
}
Tensor ones(const Shape& shape, Dtype dtype, Device device) {
  return full(shape, 1, dtype, device);
}

Tensor from_blob(void* data, const Shape& shape, Dtype dtype, std::function<void()> release) {
  const auto bytes = static_cast<size_t>(checked_count(shape, "from_blob")) * size_of(dtype);
  if (!data && bytes > 0)
    throw ValueError("from_blob",
                     "null pointer given for " + std::string(to_string(dtype)) + to_string(shape));
  return Tensor(make_ref<TensorBody>(make_ref<Storage>(data, bytes, kCpu, std::move(release)), dtype, shape,
                                     contiguous_strides(shape), 0));
}

void detail::check_value_count(size_t values, const Shape& shape) {
  if (static_cast<size_t>(checked_count(shape, "from_values")) != values) {
    throw ShapeError("from_values", std::to_string(values) + " values given for shape " + to_string(shape));
  }
}

}  // namespace espalier
