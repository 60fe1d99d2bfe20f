#include <algorithm>

#include "core/parallel.h"
#include "ops/conv2d_internal.h"
#include "ops/inner_kernel_internal.h"
#include "ops/layout_internal.h"
#include "ops/narrow_types_internal.h"

namespace espalier {
namespace {

// The plain reference: the defining sums, one output element at a time and in f64, on channels-last images.

template <class T>
T* values(const Tensor& tensor) {
  return tensor.defined() ? static_cast<T*>(tensor.raw_data()) : nullptr;
}

/// A channels-last image.
template <class T>
struct Pixels {
  T* data;
  int64_t channels, height, width;

  Pixels(T* data_, const Shape& shape) : data(data_), channels(shape[1]), height(shape[2]), width(shape[3]) {}
  /// Of an output.
  explicit Pixels(const Tensor& image) : Pixels(values<T>(image), image.shape()) {}
  /// Of an input: copied to `work` unless it is channels-last.
  Pixels(const Tensor& image, Workspace& work)
      : Pixels(static_cast<T*>(laid_out(image, channels_last_strides(image.shape()), work)), image.shape()) {}
  T* at(int64_t n, int64_t h, int64_t w) const { return data + ((n * height + h) * width + w) * channels; }
};

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
void forward(const ConvSizes& s, const Pixels<const T>& x, const T* weight, const T* shift,
             const Pixels<T>& y) {
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
void backward_data(const ConvSizes& s, const Pixels<const T>& dy, const T* weight, const Pixels<T>& dx) {
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
void backward_weights(const ConvSizes& s, const Pixels<const T>& x, const Pixels<const T>& dy, T* dw, T* db) {
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

template <class T>
class ForwardDirect {
 public:
  ForwardDirect(const Conv2d& op, Inputs inputs, std::span<const Tensor> outputs, Workspace& work)
      : sizes_(op.options(), inputs[0].shape(), inputs[1].shape(), outputs[0].shape()),
        x_(inputs[0], work),
        weight_(row_major_as<T>(inputs[1], work)),
        bias_(row_major_as<T>(inputs[2], work)),
        y_(outputs[0]) {}

  void run() const { forward(sizes_, x_, weight_, bias_, y_); }

 private:
  ConvSizes sizes_;
  Pixels<const T> x_;
  const T *weight_, *bias_;
  Pixels<T> y_;
};

template <class T>
class DataGradientDirect {
 public:
  DataGradientDirect(const Conv2dBackwardData& op, Inputs inputs, std::span<const Tensor> outputs,
                     Workspace& work)
      : sizes_(op.options(), outputs[0].shape(), inputs[1].shape(), inputs[0].shape()),
        dy_(inputs[0], work),
        weight_(row_major_as<T>(inputs[1], work)),
        dx_(outputs[0]) {}

  void run() const { backward_data(sizes_, dy_, weight_, dx_); }

 private:
  ConvSizes sizes_;
  Pixels<const T> dy_;
  const T* weight_;
  Pixels<T> dx_;
};

template <class T>
class WeightsGradientDirect {
 public:
  WeightsGradientDirect(const Conv2dBackwardWeights& op, Inputs inputs, std::span<const Tensor> outputs,
                        Workspace& work)
      : sizes_(op.options(), inputs[0].shape(), outputs[0].shape(), inputs[1].shape()),
        x_(inputs[0], work),
        dy_(inputs[1], work),
        dw_(values<T>(outputs[0])),
        db_(outputs.size() > 1 ? values<T>(outputs[1]) : nullptr) {}

  void run() const { backward_weights(sizes_, x_, dy_, dw_, db_); }

 private:
  ConvSizes sizes_;
  Pixels<const T> x_, dy_;
  T *dw_, *db_;
};

/// An operation of f16 or bf16 in f32, by the kernel for that.
using ConvertedConvolution = WideWork<InnerKernel>;

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

size_t conv2d_direct_scratch(const Conv2d& op, Inputs inputs, std::span<const Tensor> outputs) {
  return FloatKernel<ForwardDirect>::scratch(op, inputs, outputs);
}
void conv2d_direct(const Conv2d& op, Inputs inputs, Outputs outputs, void* scratch) {
  FloatKernel<ForwardDirect>::run(op, inputs, outputs, scratch);
}
size_t conv2d_converted_scratch(const Conv2d& op, Inputs inputs, std::span<const Tensor> outputs) {
  return scratch_of<ConvertedConvolution>(op, inputs, outputs);
}
void conv2d_converted(const Conv2d& op, Inputs inputs, Outputs outputs, void* scratch) {
  run_with<ConvertedConvolution>(scratch, op, inputs, std::span<const Tensor>(outputs));
}

size_t conv2d_backward_data_direct_scratch(const Conv2dBackwardData& op, Inputs inputs,
                                           std::span<const Tensor> outputs) {
  return FloatKernel<DataGradientDirect>::scratch(op, inputs, outputs);
}
void conv2d_backward_data_direct(const Conv2dBackwardData& op, Inputs inputs, Outputs outputs,
                                 void* scratch) {
  FloatKernel<DataGradientDirect>::run(op, inputs, outputs, scratch);
}
size_t conv2d_backward_data_converted_scratch(const Conv2dBackwardData& op, Inputs inputs,
                                              std::span<const Tensor> outputs) {
  return scratch_of<ConvertedConvolution>(op, inputs, outputs);
}
void conv2d_backward_data_converted(const Conv2dBackwardData& op, Inputs inputs, Outputs outputs,
                                    void* scratch) {
  run_with<ConvertedConvolution>(scratch, op, inputs, std::span<const Tensor>(outputs));
}

size_t conv2d_backward_weights_direct_scratch(const Conv2dBackwardWeights& op, Inputs inputs,
                                              std::span<const Tensor> outputs) {
  return FloatKernel<WeightsGradientDirect>::scratch(op, inputs, outputs);
}
void conv2d_backward_weights_direct(const Conv2dBackwardWeights& op, Inputs inputs, Outputs outputs,
                                    void* scratch) {
  FloatKernel<WeightsGradientDirect>::run(op, inputs, outputs, scratch);
}
size_t conv2d_backward_weights_converted_scratch(const Conv2dBackwardWeights& op, Inputs inputs,
                                                 std::span<const Tensor> outputs) {
  return scratch_of<ConvertedConvolution>(op, inputs, outputs);
}
void conv2d_backward_weights_converted(const Conv2dBackwardWeights& op, Inputs inputs, Outputs outputs,
                                       void* scratch) {
  run_with<ConvertedConvolution>(scratch, op, inputs, std::span<const Tensor>(outputs));
}

}  // namespace espalier
