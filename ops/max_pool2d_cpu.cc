#include <algorithm>
#include <cmath>
#include <limits>

#include "ops/max_pool2d.h"
#include "ops/pool_planes_internal.h"
#include "ops/window_internal.h"

namespace espalier {
namespace {

template <class T>
void pool(const MaxPool2d& op, const Tensor& x, const Tensor& y, const Tensor& indices) {
  using C = Wide<T>;
  const Window window{op.kernel(), op.stride(), op.padding(), op.dilation()};
  const WindowAxis rows = window.rows(x.shape()[2]), columns = window.columns(x.shape()[3]);
  const int64_t height = y.shape()[2], width = y.shape()[3];
  const auto pool_plane = [&](int64_t plane) {
    const Plane<T> from(x, plane), to(y, plane);
    const Plane<int32_t> where(indices, plane);
    for (int64_t h = 0; h < height; ++h) {
      for (int64_t w = 0; w < width; ++w) {
        C best = -std::numeric_limits<C>::infinity();
        int64_t index = -1;
        for (int64_t i = rows.first_tap(h); i < rows.last_tap(h); ++i) {
          for (int64_t j = columns.first_tap(w); j < columns.last_tap(w); ++j) {
            const int64_t row = rows.start(h) + i * rows.dilation;
            const int64_t column = columns.start(w) + j * columns.dilation;
            const C value = static_cast<C>(from.at(row, column));
            if (index >= 0 && !(value > best) && !std::isnan(value)) continue;
            best = value;
            index = row * columns.size + column;
          }
        }
        to.at(h, w) = T(best);
        where.at(h, w) = static_cast<int32_t>(index);
      }
    }
  };
  for_planes(y, rows.taps * columns.taps, [&](int64_t first, int64_t last) {
    for (int64_t plane = first; plane < last; ++plane) pool_plane(plane);
  });
}

template <class T>
class MaxScatter {
 public:
  MaxScatter(const MaxPool2dBackward&, Inputs inputs, std::span<const Tensor> outputs, Workspace& work)
      : gradient_(inputs[0]),
        indices_(inputs[1]),
        elements_(outputs[0].shape()[2] * outputs[0].shape()[3]),
        sums_(outputs[0], 2, work) {}

  void run() const {
    using C = Wide<T>;
    sums_.run([&](int64_t plane, C* sums) {
      const Plane<T> from(gradient_, plane);
      const Plane<int32_t> where(indices_, plane);
      for (int64_t h = 0; h < gradient_.shape()[2]; ++h) {
        for (int64_t w = 0; w < gradient_.shape()[3]; ++w) {
          const int32_t index = where.at(h, w);
          if (index >= 0 && index < elements_) sums[index] += static_cast<C>(from.at(h, w));
        }
      }
    });
  }

 private:
  const Tensor &gradient_, &indices_;
  int64_t elements_;
  PlaneSums<T> sums_;
};

template <class T>
void take(const Tensor& image, const Tensor& indices, const Tensor& y) {
  const int64_t width = image.shape()[3], elements = image.shape()[2] * width;
  for_planes(y, 1, [&](int64_t first, int64_t last) {
    for (int64_t plane = first; plane < last; ++plane) {
      const Plane<T> from(image, plane), to(y, plane);
      const Plane<int32_t> where(indices, plane);
      for (int64_t h = 0; h < y.shape()[2]; ++h) {
        for (int64_t w = 0; w < y.shape()[3]; ++w) {
          const int32_t index = where.at(h, w);
          const bool inside = index >= 0 && index < elements;
          to.at(h, w) = inside ? from.at(index / width, index % width) : T(0.0f);
        }
      }
    }
  });
}

}  // namespace

void max_pool2d_cpu(const MaxPool2d& op, Inputs inputs, Outputs outputs) {
  visit_floating(inputs[0].dtype(), [&](auto tag) {
    pool<typename decltype(tag)::type>(op, inputs[0], outputs[0], outputs[1]);
  });
}

size_t max_pool2d_backward_scratch(const MaxPool2dBackward& op, Inputs inputs,
                                   std::span<const Tensor> outputs) {
  return PlaneKernel<MaxScatter>::scratch(op, inputs, outputs);
}
void max_pool2d_backward_cpu(const MaxPool2dBackward& op, Inputs inputs, Outputs outputs, void* scratch) {
  PlaneKernel<MaxScatter>::run(op, inputs, outputs, scratch);
}

void max_pool2d_take_cpu(const MaxPool2dTake&, Inputs inputs, Outputs outputs) {
  visit_floating(inputs[0].dtype(),
                 [&](auto tag) { take<typename decltype(tag)::type>(inputs[0], inputs[1], outputs[0]); });
}

}  // namespace espalier
