#include <algorithm>
#include <cmath>

#include "ops/adaptive_pool2d.h"
#include "ops/pool_planes_internal.h"

namespace espalier {
namespace {

/// Windows along one axis of `size` elements.
struct AdaptiveAxis {
  int64_t size, windows;

  int64_t first(int64_t window) const { return window * size / windows; }
  int64_t last(int64_t window) const { return ((window + 1) * size + windows - 1) / windows; }
};

/// The windows of an image.
struct AdaptiveWindows {
  AdaptiveAxis rows, columns;

  AdaptiveWindows(const Tensor& image, const Tensor& pooled)
      : rows{image.shape()[2], pooled.shape()[2]}, columns{image.shape()[3], pooled.shape()[3]} {}

  /// Elements of one window, about.
  int64_t work() const { return (rows.size / rows.windows + 1) * (columns.size / columns.windows + 1); }
  int64_t elements(int64_t h, int64_t w) const {
    return (rows.last(h) - rows.first(h)) * (columns.last(w) - columns.first(w));
  }
  template <class F>
  void for_each_element(int64_t h, int64_t w, const F& f) const {
    for (int64_t i = rows.first(h); i < rows.last(h); ++i) {
      for (int64_t j = columns.first(w); j < columns.last(w); ++j) f(i, j);
    }
  }
  template <class F>
  void for_each_window(const F& f) const {
    for (int64_t h = 0; h < rows.windows; ++h) {
      for (int64_t w = 0; w < columns.windows; ++w) f(h, w);
    }
  }
};

template <class T>
void average(const Tensor& x, const Tensor& y) {
  using C = Wide<T>;
  const AdaptiveWindows windows(x, y);
  for_planes(y, windows.work(), [&](int64_t first, int64_t last) {
    for (int64_t plane = first; plane < last; ++plane) {
      const Plane<T> from(x, plane), to(y, plane);
      windows.for_each_window([&](int64_t h, int64_t w) {
        C sum = 0;
        windows.for_each_element(h, w, [&](int64_t i, int64_t j) { sum += static_cast<C>(from.at(i, j)); });
        to.at(h, w) = T(sum / static_cast<C>(windows.elements(h, w)));
      });
    }
  });
}

template <class T>
class AdaptiveSpread {
 public:
  AdaptiveSpread(const AdaptiveAvgPool2dBackward&, Inputs inputs, std::span<const Tensor> outputs,
                 Workspace& work)
      : gradient_(inputs[0]), dx_(outputs[0]), sums_(dx_, 4, work) {}

  void run() const {
    using C = Wide<T>;
    const int64_t width = dx_.shape()[3];
    sums_.run([&](int64_t plane, C* sums) {
      if (gradient_.numel() == 0) return;
      const AdaptiveWindows windows(dx_, gradient_);
      const Plane<T> from(gradient_, plane);
      windows.for_each_window([&](int64_t h, int64_t w) {
        const C share = static_cast<C>(from.at(h, w)) / static_cast<C>(windows.elements(h, w));
        windows.for_each_element(h, w, [&](int64_t i, int64_t j) { sums[i * width + j] += share; });
      });
    });
  }

 private:
  const Tensor &gradient_, &dx_;
  PlaneSums<T> sums_;
};

template <class T>
void largest(const Tensor& x, const Tensor& y, const Tensor& indices) {
  using C = Wide<T>;
  const AdaptiveWindows windows(x, y);
  for_planes(y, windows.work(), [&](int64_t first, int64_t last) {
    for (int64_t plane = first; plane < last; ++plane) {
      const Plane<T> from(x, plane), to(y, plane);
      const Plane<int32_t> where(indices, plane);
      windows.for_each_window([&](int64_t h, int64_t w) {
        C best = 0;
        int64_t index = -1;
        windows.for_each_element(h, w, [&](int64_t i, int64_t j) {
          const C value = static_cast<C>(from.at(i, j));
          if (index >= 0 && !(value > best) && !std::isnan(value)) return;
          best = value;
          index = i * windows.columns.size + j;
        });
        to.at(h, w) = T(best);
        where.at(h, w) = static_cast<int32_t>(index);
      });
    }
  });
}

}  // namespace

void adaptive_avg_pool2d_cpu(const AdaptiveAvgPool2d&, Inputs inputs, Outputs outputs) {
  if (outputs[0].numel() == 0) return;
  visit_floating(inputs[0].dtype(),
                 [&](auto tag) { average<typename decltype(tag)::type>(inputs[0], outputs[0]); });
}

size_t adaptive_avg_pool2d_backward_scratch(const AdaptiveAvgPool2dBackward& op, Inputs inputs,
                                            std::span<const Tensor> outputs) {
  return PlaneKernel<AdaptiveSpread>::scratch(op, inputs, outputs);
}
void adaptive_avg_pool2d_backward_cpu(const AdaptiveAvgPool2dBackward& op, Inputs inputs, Outputs outputs,
                                      void* scratch) {
  PlaneKernel<AdaptiveSpread>::run(op, inputs, outputs, scratch);
}

void adaptive_max_pool2d_cpu(const AdaptiveMaxPool2d&, Inputs inputs, Outputs outputs) {
  if (outputs[0].numel() == 0) return;
  visit_floating(inputs[0].dtype(),
                 [&](auto tag) { largest<typename decltype(tag)::type>(inputs[0], outputs[0], outputs[1]); });
}

}  // namespace espalier
