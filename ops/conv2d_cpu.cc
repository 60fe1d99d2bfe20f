#include <algorithm>

#include "core/parallel.h"
#include "ops/cast.h"
#include "ops/conv2d_internal.h"
#include "ops/copy.h"
#include "ops/layout_internal.h"

namespace espalier {
namespace {

// The plain reference: the defining sums, one output element at a time and in f64, on channels-last images.

/// A channels-last image.
template <class T>
struct Pixels {
  T* data;
  int64_t channels, height, width;

  explicit Pixels(const Tensor& image)
      : data(static_cast<T*>(image.raw_data())),
        channels(image.shape()[1]),
        height(image.shape()[2]),
        width(image.shape()[3]) {}
  T* at(int64_t n, int64_t h, int64_t w) const { return data + ((n * height + h) * width + w) * channels; }
};

template <class T>
const T* values(const Tensor& tensor) {
  return static_cast<const T*>(tensor.raw_data());
}

/// Calls `body(n, h, w)` for each pixel of `image`, in parallel; `work` is that of a pixel.
template <class Body>
void for_each_pixel(const Shape& image, int64_t work, const Body& body) {
  const int64_t height = image[2], width = image[3];
  parallel_for(0, image[0] * height * width, std::max<int64_t>(1, kSerialWork / std::max<int64_t>(work, 1)),
               [&](int64_t first, int64_t last) {
                 for (int64_t i = first; i < last; ++i)
                   body(i / (height * width), i / width % height, i % width);
               });
}

template <class T>
void forward(const ConvSizes& s, const Tensor& image, const Tensor& filters, const Tensor& bias,
             const Tensor& result) {
  const Pixels<const T> x(image);
  const Pixels<T> y(result);
  const T* weight = values<T>(filters);
  const T* shift = bias.defined() ? values<T>(bias) : nullptr;
  const int64_t taps = s.rows.taps * s.columns.taps, inputs = s.weight[1], outputs = s.weight[0] / s.groups;
  for_each_pixel(s.y, s.weight[0] * inputs * taps, [&](int64_t n, int64_t h, int64_t w) {
    for (int64_t o = 0; o < y.channels; ++o) {
      double sum = shift ? static_cast<double>(shift[o]) : 0;
      for (int64_t i = s.rows.first_tap(h); i < s.rows.last_tap(h); ++i) {
        for (int64_t j = s.columns.first_tap(w); j < s.columns.last_tap(w); ++j) {
          const T* from =
              x.at(n, s.rows.start(h) + i * s.rows.dilation, s.columns.start(w) + j * s.columns.dilation) +
              o / outputs * inputs;
          const T* by = weight + o * inputs * taps + i * s.columns.taps + j;
          for (int64_t c = 0; c < inputs; ++c)
            sum += static_cast<double>(from[c]) * static_cast<double>(by[c * taps]);
        }
      }
      y.at(n, h, w)[o] = static_cast<T>(sum);
    }
  });
}

/// Calls `f(window, tap)` for the windows that read `position` of an image axis.
template <class F>
void for_each_window(const WindowAxis& axis, int64_t windows, int64_t position, const F& f) {
  for (int64_t tap = 0; tap < axis.taps; ++tap) {
    const int64_t start = position + axis.padding - tap * axis.dilation;
    if (start >= 0 && start % axis.stride == 0 && start / axis.stride < windows) f(start / axis.stride, tap);
  }
}

template <class T>
void backward_data(const ConvSizes& s, const Tensor& gradient, const Tensor& filters, const Tensor& result) {
  const Pixels<const T> dy(gradient);
  const Pixels<T> dx(result);
  const T* weight = values<T>(filters);
  const int64_t taps = s.rows.taps * s.columns.taps, inputs = s.weight[1], outputs = s.weight[0] / s.groups;
  for_each_pixel(s.x, s.x[1] * outputs * taps, [&](int64_t n, int64_t h, int64_t w) {
    for (int64_t c = 0; c < dx.channels; ++c) {
      const int64_t first = inputs == 0 ? 0 : c / inputs * outputs;
      double sum = 0;
      for_each_window(s.rows, s.y[2], h, [&](int64_t row, int64_t i) {
        for_each_window(s.columns, s.y[3], w, [&](int64_t column, int64_t j) {
          const T* from = dy.at(n, row, column);
          const T* by = weight + c % inputs * taps + i * s.columns.taps + j;
          for (int64_t o = first; o < first + outputs; ++o)
            sum += static_cast<double>(from[o]) * static_cast<double>(by[o * inputs * taps]);
        });
      });
      dx.at(n, h, w)[c] = static_cast<T>(sum);
    }
  });
}

template <class T>
void backward_weights(const ConvSizes& s, const Tensor& image, const Tensor& gradient, const Tensor& result,
                      const Tensor& bias) {
  const Pixels<const T> x(image), dy(gradient);
  T* dw = static_cast<T*>(result.raw_data());
  T* db = bias.defined() ? static_cast<T*>(bias.raw_data()) : nullptr;
  const int64_t taps = s.rows.taps * s.columns.taps, inputs = s.weight[1], outputs = s.weight[0] / s.groups;
  const int64_t work = std::max<int64_t>(inputs * taps * s.y[0] * s.y[2] * s.y[3], 1);
  const auto for_each_gradient = [&](const auto& f) {
    for (int64_t n = 0; n < s.y[0]; ++n) {
      for (int64_t h = 0; h < s.y[2]; ++h) {
        for (int64_t w = 0; w < s.y[3]; ++w) f(n, h, w);
      }
    }
  };
  const auto weight_gradient = [&](int64_t o, int64_t c, int64_t i, int64_t j) {
    double sum = 0;
    for_each_gradient([&](int64_t n, int64_t h, int64_t w) {
      const int64_t row = s.rows.start(h) + i * s.rows.dilation;
      const int64_t column = s.columns.start(w) + j * s.columns.dilation;
      if (row < 0 || row >= x.height || column < 0 || column >= x.width) return;
      sum += static_cast<double>(dy.at(n, h, w)[o]) *
             static_cast<double>(x.at(n, row, column)[o / outputs * inputs + c]);
    });
    return static_cast<T>(sum);
  };
  parallel_for(0, s.weight[0], std::max<int64_t>(1, kSerialWork / work), [&](int64_t first, int64_t last) {
    for (int64_t o = first; o < last; ++o) {
      for (int64_t k = 0; k < inputs * taps; ++k) {
        dw[o * inputs * taps + k] =
            weight_gradient(o, k / taps, k % taps / s.columns.taps, k % s.columns.taps);
      }
      if (!db) continue;
      double sum = 0;
      for_each_gradient(
          [&](int64_t n, int64_t h, int64_t w) { sum += static_cast<double>(dy.at(n, h, w)[o]); });
      db[o] = static_cast<T>(sum);
    }
  });
}

/// Images channels-last and weights row-major, which is the layout of all outputs.
Tensor image_of(const Tensor& tensor) {
  return laid_out(tensor, channels_last_strides(tensor.shape()));
}
Tensor weight_of(const Tensor& tensor) {
  return laid_out(tensor, contiguous_strides(tensor.shape()));
}

/// Calls `f` with the tag of f64 or f32.
template <class F>
void visit_wide(Dtype dtype, const F& f) {
  if (dtype == Dtype::f64)
    f(TypeTag<double>{});
  else
    f(TypeTag<float>{});
}

/// Runs an operation of f16 or bf16 in f32: everything is converted, and the outputs back.
void run_converted(const Operation& op, Inputs inputs, Outputs outputs) {
  // What happens inside a kernel is nobody else's business.
  const NoGrad no_grad;
  const ListenerScope no_recorder(ListenerSlot::recorder, nullptr);
  Tensors wide(inputs.size());
  for (size_t i = 0; i < inputs.size(); ++i) {
    if (inputs[i].defined()) wide[i] = cast(inputs[i], Dtype::f32);
  }
  const Tensors made = apply(op, wide);
  for (size_t i = 0; i < outputs.size(); ++i) copy_(outputs[i], made[i]);
}

const char* declines_narrow(Inputs inputs) {
  return size_of(inputs[0].dtype()) < 4 ? "f16, and bf16 without instructions for it, are converted"
                                        : nullptr;
}

}  // namespace

const char* conv2d_direct_declines(const Conv2d&, Inputs inputs, std::span<const Tensor>) {
  return declines_narrow(inputs);
}
const char* conv2d_backward_data_direct_declines(const Conv2dBackwardData&, Inputs inputs,
                                                 std::span<const Tensor>) {
  return declines_narrow(inputs);
}
const char* conv2d_backward_weights_direct_declines(const Conv2dBackwardWeights&, Inputs inputs,
                                                    std::span<const Tensor>) {
  return declines_narrow(inputs);
}

void conv2d_direct(const Conv2d& op, Inputs inputs, Outputs outputs) {
  const ConvSizes sizes(op.options(), inputs[0].shape(), inputs[1].shape(), outputs[0].shape());
  const Tensor bias = inputs[2].defined() ? laid_out(inputs[2], {1}) : Tensor();
  visit_wide(inputs[0].dtype(), [&](auto tag) {
    forward<typename decltype(tag)::type>(sizes, image_of(inputs[0]), weight_of(inputs[1]), bias, outputs[0]);
  });
}

void conv2d_backward_data_direct(const Conv2dBackwardData& op, Inputs inputs, Outputs outputs) {
  const ConvSizes sizes(op.options(), outputs[0].shape(), inputs[1].shape(), inputs[0].shape());
  visit_wide(inputs[0].dtype(), [&](auto tag) {
    backward_data<typename decltype(tag)::type>(sizes, image_of(inputs[0]), weight_of(inputs[1]), outputs[0]);
  });
}

void conv2d_backward_weights_direct(const Conv2dBackwardWeights& op, Inputs inputs, Outputs outputs) {
  const ConvSizes sizes(op.options(), inputs[0].shape(), outputs[0].shape(), inputs[1].shape());
  const Tensor bias = outputs.size() > 1 ? outputs[1] : Tensor();
  visit_wide(inputs[0].dtype(), [&](auto tag) {
    backward_weights<typename decltype(tag)::type>(sizes, image_of(inputs[0]), image_of(inputs[1]),
                                                   outputs[0], bias);
  });
}

void conv2d_converted(const Conv2d& op, Inputs inputs, Outputs outputs) {
  run_converted(op, inputs, outputs);
}
void conv2d_backward_data_converted(const Conv2dBackwardData& op, Inputs inputs, Outputs outputs) {
  run_converted(op, inputs, outputs);
}
void conv2d_backward_weights_converted(const Conv2dBackwardWeights& op, Inputs inputs, Outputs outputs) {
  run_converted(op, inputs, outputs);
}

}  // namespace espalier
