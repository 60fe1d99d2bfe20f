#include "ops/avg_pool2d.h"
#include "ops/avg_pool2d_internal.h"
#include "ops/pool_planes_internal.h"

namespace espalier {
namespace {

template <class T>
void pool(const AvgPool2d& op, const Tensor& x, const Tensor& y) {
  using C = Wide<T>;
  const AvgWindows windows(op, x.shape());
  const WindowAxis &rows = windows.rows, &columns = windows.columns;
  for_planes(y, rows.taps * columns.taps, [&](int64_t first, int64_t last) {
    for (int64_t plane = first; plane < last; ++plane) {
      const Plane<T> from(x, plane), to(y, plane);
      for (int64_t h = 0; h < y.shape()[2]; ++h) {
        for (int64_t w = 0; w < y.shape()[3]; ++w) {
          C sum = 0;
          windows.for_each_tap(h, w, [&](int64_t i, int64_t j) { sum += static_cast<C>(from.at(i, j)); });
          to.at(h, w) = T(sum / static_cast<C>(windows.divisor(h, w)));
        }
      }
    }
  });
}

template <class T>
void spread(const AvgPool2d& op, const Tensor& gradient, const Tensor& dx) {
  using C = Wide<T>;
  const AvgWindows windows(op, dx.shape());
  const int64_t height = dx.shape()[2], width = dx.shape()[3];
  for_planes(dx, 2, [&](int64_t first, int64_t last) {
    const Tensor scratch = empty({height * width}, dtype_of<C>());
    C* sums = static_cast<C*>(scratch.raw_data());
    for (int64_t plane = first; plane < last; ++plane) {
      const Plane<T> from(gradient, plane), to(dx, plane);
      std::fill_n(sums, height * width, C{0});
      for (int64_t h = 0; h < gradient.shape()[2]; ++h) {
        for (int64_t w = 0; w < gradient.shape()[3]; ++w) {
          const C share = static_cast<C>(from.at(h, w)) / static_cast<C>(windows.divisor(h, w));
          windows.for_each_tap(h, w, [&](int64_t i, int64_t j) { sums[i * width + j] += share; });
        }
      }
      for (int64_t h = 0; h < height; ++h) {
        for (int64_t w = 0; w < width; ++w) to.at(h, w) = T(sums[h * width + w]);
      }
    }
  });
}

}  // namespace

void avg_pool2d_cpu(const AvgPool2d& op, Inputs inputs, Outputs outputs) {
  visit_floating(inputs[0].dtype(),
                 [&](auto tag) { pool<typename decltype(tag)::type>(op, inputs[0], outputs[0]); });
}

void avg_pool2d_backward_cpu(const AvgPool2dBackward& op, Inputs inputs, Outputs outputs) {
  visit_floating(inputs[0].dtype(), [&](auto tag) {
    spread<typename decltype(tag)::type>(op.forward(), inputs[0], outputs[0]);
  });
}

}  // namespace espalier
