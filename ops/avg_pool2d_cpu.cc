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
class AvgSpread {
 public:
  AvgSpread(const AvgPool2dBackward& op, Inputs inputs, std::span<const Tensor> outputs, Workspace& work)
      : windows_(op.forward(), outputs[0].shape()),
        gradient_(inputs[0]),
        width_(outputs[0].shape()[3]),
        sums_(outputs[0], 2, work) {}

  void run() const {
    using C = Wide<T>;
    sums_.run([&](int64_t plane, C* sums) {
      const Plane<T> from(gradient_, plane);
      for (int64_t h = 0; h < gradient_.shape()[2]; ++h) {
        for (int64_t w = 0; w < gradient_.shape()[3]; ++w) {
          const C share = static_cast<C>(from.at(h, w)) / static_cast<C>(windows_.divisor(h, w));
          windows_.for_each_tap(h, w, [&](int64_t i, int64_t j) { sums[i * width_ + j] += share; });
        }
      }
    });
  }

 private:
  AvgWindows windows_;
  const Tensor& gradient_;
  int64_t width_;
  PlaneSums<T> sums_;
};

}  // namespace

void avg_pool2d_cpu(const AvgPool2d& op, Inputs inputs, Outputs outputs) {
  visit_floating(inputs[0].dtype(),
                 [&](auto tag) { pool<typename decltype(tag)::type>(op, inputs[0], outputs[0]); });
}

size_t avg_pool2d_backward_scratch(const AvgPool2dBackward& op, Inputs inputs,
                                   std::span<const Tensor> outputs) {
  return PlaneKernel<AvgSpread>::scratch(op, inputs, outputs);
}
void avg_pool2d_backward_cpu(const AvgPool2dBackward& op, Inputs inputs, Outputs outputs, void* scratch) {
  PlaneKernel<AvgSpread>::run(op, inputs, outputs, scratch);
}

}  // namespace espalier
