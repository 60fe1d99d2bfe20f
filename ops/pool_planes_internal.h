#pragma once

#include <algorithm>
#include <cstdint>
#include <type_traits>

#include "core/kernel.h"
#include "core/parallel.h"
#include "core/workspace.h"
#include "ops/parts_internal.h"

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

/// An image that is put out as sums, in Wide<T>, a plane at a time.
template <class T>
class PlaneSums {
 public:
  /// `work` is that of an element, in simple operations.
  PlaneSums(const Tensor& image, int64_t work, Workspace& memory)
      : image_(image),
        height_(image.shape()[2]),
        width_(image.shape()[3]),
        parts_(image.shape()[0] * image.shape()[1],
               kSerialWork / (work * std::max<int64_t>(height_ * width_, 1))),
        sums_(memory.take<Wide<T>>(parts_.count() * step())) {}

  /// Calls `add(plane, sums)` for each plane, in parallel.
  template <class Add>
  void run(const Add& add) const {
    parts_.run([&](int64_t part, int64_t first, int64_t last) {
      Wide<T>* const sums = sums_ + part * step();
      for (int64_t plane = first; plane < last; ++plane) {
        std::fill_n(sums, height_ * width_, Wide<T>{0});
        add(plane, sums);
        const Plane<T> to(image_, plane);
        for (int64_t h = 0; h < height_; ++h) {
          for (int64_t w = 0; w < width_; ++w) to.at(h, w) = T(sums[h * width_ + w]);
        }
      }
    });
  }

 private:
  int64_t step() const { return Parts::apart<Wide<T>>(height_ * width_); }

  const Tensor& image_;
  int64_t height_, width_;
  Parts parts_;
  Wide<T>* sums_;
};

/// The kernel of a `Work<T>` as scratch_of() describes it, T being the floating type of the first input.
template <template <class> class Work>
struct PlaneKernel {
  template <class Op>
  static size_t scratch(const Op& op, Inputs inputs, std::span<const Tensor> outputs) {
    size_t bytes = 0;
    visit_floating(inputs[0].dtype(), [&](auto tag) {
      bytes = scratch_of<Work<typename decltype(tag)::type>>(op, inputs, outputs);
    });
    return bytes;
  }
  template <class Op>
  static void run(const Op& op, Inputs inputs, Outputs outputs, void* scratch) {
    visit_floating(inputs[0].dtype(), [&](auto tag) {
      run_with<Work<typename decltype(tag)::type>>(scratch, op, inputs, std::span<const Tensor>(outputs));
    });
  }
};

}  // namespace espalier
