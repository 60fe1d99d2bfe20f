#pragma once

#include <algorithm>
#include <cstdint>
#include <type_traits>

#include "core/parallel.h"
#include "core/tensor.h"

namespace espalier {

// What the pooling kernels for any type and layout share: they work plane by plane, a plane being one channel
// of one image.

/// Where the elements of a plane are.
template <class T>
struct Plane {
  T* data;
  int64_t row, column;

  Plane(const Tensor& image, int64_t plane)
      : data(static_cast<T*>(image.raw_data())), row(image.strides()[2]), column(image.strides()[3]) {
    const int64_t channels = image.shape()[1];
    data += plane / channels * image.strides()[0] + plane % channels * image.strides()[1];
  }
  T& at(int64_t h, int64_t w) const { return data[h * row + w * column]; }
};

/// Calls `body(first, last)` for ranges of planes of `image`, in parallel; `work` is that of one of its
/// elements, in simple operations.
template <class Body>
void for_planes(const Tensor& image, int64_t work, const Body& body) {
  const Shape& shape = image.shape();
  const int64_t elements = std::max<int64_t>(shape[2] * shape[3], 1);
  parallel_for(0, shape[0] * shape[1], std::max<int64_t>(1, kSerialWork / (work * elements)), body);
}

/// Calls `f` with the tag of the floating type.
template <class F>
void visit_floating(Dtype dtype, const F& f) {
  visit_dtype(dtype, [&](auto tag) {
    using T = typename decltype(tag)::type;
    if constexpr (is_floating(dtype_of<T>())) f(tag);
  });
}

/// The type in which elements are added.
template <class T>
using Wide = std::conditional_t<std::is_same_v<T, double>, double, float>;

}  // namespace espalier
