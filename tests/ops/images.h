#pragma once

#include "ops/conv2d.h"
#include "ops/copy.h"
#include "ops/window.h"
#include "tests/support/op_test.h"

// Helpers of the test objects of operations on images.
namespace espalier::test {

/// `sample` with all images among its inputs in channels-last memory.
inline OpSample channels_last_sample(OpSample sample) {
  sample.label += ", channels-last";
  sample.run = [run = sample.run](Inputs in) {
    std::vector<Tensor> inputs(in.begin(), in.end());
    for (Tensor& input : inputs) {
      if (input.defined() && input.rank() == 4) input = channels_last(input);
    }
    return run(inputs);
  };
  return sample;
}

/// Adds each of `samples` once more, channels-last.
inline std::vector<OpSample> in_both_layouts(std::vector<OpSample> samples) {
  const size_t count = samples.size();
  for (size_t i = 0; i < count; ++i) samples.push_back(channels_last_sample(samples[i]));
  return samples;
}

/// Calls `f(y, row, column, i, j)` for each element (i, j) under the kernel for each element y (an index of
/// `output`), with its place in the image, which may lie outside.
template <class F>
void for_each_tap(const Shape& output, Size2d kernel, Size2d stride, Size2d padding, Size2d dilation,
                  const F& f) {
  for_each_index(output, [&](const Dims& y) {
    for (int64_t i = 0; i < kernel.height; ++i) {
      for (int64_t j = 0; j < kernel.width; ++j) {
        f(y, y[2] * stride.height - padding.height + i * dilation.height,
          y[3] * stride.width - padding.width + j * dilation.width, i, j);
      }
    }
  });
}

inline Shape slid_over(const Shape& image, int64_t channels, Size2d kernel, Size2d stride, Size2d padding,
                       Size2d dilation) {
  return {image[0], channels,
          (image[2] + 2 * padding.height - dilation.height * (kernel.height - 1) - 1) / stride.height + 1,
          (image[3] + 2 * padding.width - dilation.width * (kernel.width - 1) - 1) / stride.width + 1};
}

inline bool inside(const Shape& image, int64_t row, int64_t column) {
  return row >= 0 && row < image[2] && column >= 0 && column < image[3];
}

/// Calls `f(y, x, weight)` with the indices that meet in each product.
template <class F>
void for_each_convolved(const Shape& image, const Shape& filters, const Conv2dOptions& o, const F& f) {
  const Size2d kernel(filters[2], filters[3]);
  const int64_t outputs = filters[0] / o.groups;
  const Shape shape = slid_over(image, filters[0], kernel, o.stride, o.padding, o.dilation);
  for_each_tap(shape, kernel, o.stride, o.padding, o.dilation,
               [&](const Dims& y, int64_t row, int64_t column, int64_t i, int64_t j) {
                 if (!inside(image, row, column)) return;
                 for (int64_t c = 0; c < filters[1]; ++c)
                   f(y, Dims{y[0], y[1] / outputs * filters[1] + c, row, column}, Dims{y[1], c, i, j});
               });
}

}  // namespace espalier::test
