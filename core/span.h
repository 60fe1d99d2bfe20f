#pragma once

#include <span>
#include <type_traits>

#include "core/tensor.h"

namespace espalier {

namespace detail {
/// Throws ShapeError, on behalf of as_span, unless the elements lie row-major without gaps.
ESPALIER_API void check_spannable(const Tensor& tensor);
}  // namespace detail

/// The elements of a tensor in row-major order as C++ sees them: `as_span<const float>(x)` for reading,
/// `as_span<float>(x)` for writing, which counts as a change in place. It must not outlive the tensor. Throws
/// TypeError where T is not the tensor's type, DeviceError where the memory is not the host's, ShapeError
/// where the elements do not lie row-major without gaps (contiguous() makes a copy that does).
template <class T>
std::span<T> as_span(
    Tensor tensor) {  // NOLINT(performance-unnecessary-value-param): a handle to write through
  detail::check_spannable(tensor);
  const auto size = static_cast<size_t>(tensor.numel());
  if constexpr (std::is_const_v<T>)
    return {tensor.data<std::remove_const_t<T>>(), size};
  else
    return {tensor.mutable_data<T>(), size};
}

}  // namespace espalier
