#include <algorithm>
#include <cstdint>

#include "core/parallel.h"
#include "ops/avg_pool2d_internal.h"
#include "ops/layout_internal.h"

// clang-format off
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "ops/avg_pool2d_f32_cpu.cc"
#include "core/highway_internal.h"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"
// clang-format on

HWY_BEFORE_NAMESPACE();
namespace espalier::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

/// to += from * factor, `n` neighbours.
HWY_INLINE void add_scaled(float* to, const float* from, float factor, int64_t n) {
  const hn::ScalableTag<float> d;
  const auto lanes = static_cast<int64_t>(hn::Lanes(d));
  const auto scale = hn::Set(d, factor);
  int64_t i = 0;
  for (; i + lanes <= n; i += lanes)
    hn::StoreU(hn::MulAdd(hn::LoadU(d, from + i), scale, hn::LoadU(d, to + i)), d, to + i);
  for (; i < n; ++i) to[i] += from[i] * factor;
}

void avg_pool2d_rows(const float* x, const AvgWindows& windows, int64_t channels, int64_t first, int64_t last,
                     float* y) {
  const int64_t height = windows.rows.windows(), width = windows.columns.windows();
  const int64_t row_size = windows.columns.size * channels;
  for (int64_t row = first; row < last; ++row) {
    // NOLINTNEXTLINE(clang-analyzer-core.DivideZero): without windows there are no rows
    const float* image = x + row / height * windows.rows.size * row_size;
    for (int64_t w = 0; w < width; ++w) {
      float* to = y + (row * width + w) * channels;  // stays in the first-level cache while it adds up
      const float share = 1.0f / static_cast<float>(windows.divisor(row % height, w));
      std::fill_n(to, channels, 0.0f);
      windows.for_each_tap(row % height, w, [&](int64_t i, int64_t j) HWY_ATTR {
        add_scaled(to, image + i * row_size + j * channels, share, channels);
      });
    }
  }
}

void avg_pool2d_spread(const float* gradient, const AvgWindows& windows, int64_t channels,
                       int64_t first_channel, int64_t some_channels, float* dx) {
  const int64_t height = windows.rows.windows(), width = windows.columns.windows();
  const int64_t pixels = windows.rows.size * windows.columns.size;
  for (int64_t pixel = 0; pixel < pixels; ++pixel)
    std::fill_n(dx + pixel * channels + first_channel, some_channels, 0.0f);
  for (int64_t h = 0; h < height; ++h) {
    for (int64_t w = 0; w < width; ++w) {
      const float* from = gradient + (h * width + w) * channels + first_channel;
      const float share = 1.0f / static_cast<float>(windows.divisor(h, w));
      windows.for_each_tap(h, w, [&](int64_t i, int64_t j) HWY_ATTR {
        add_scaled(dx + (i * windows.columns.size + j) * channels + first_channel, from, share,
                   some_channels);
      });
    }
  }
}

}  // namespace espalier::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace espalier {

HWY_EXPORT(avg_pool2d_rows);
HWY_EXPORT(avg_pool2d_spread);

const char* avg_pool2d_f32_declines(const AvgPool2d&, Inputs inputs, std::span<const Tensor> outputs) {
  if (inputs[0].dtype() != Dtype::f32) return "not f32";
  if (!is_channels_last(inputs[0]) || !is_channels_last(outputs[0])) return "not channels-last";
  return nullptr;
}

void avg_pool2d_f32(const AvgPool2d& op, Inputs inputs, Outputs outputs) {
  const Shape& shape = outputs[0].shape();
  const AvgWindows windows(op, inputs[0].shape());
  const int64_t work = std::max<int64_t>(shape[3] * shape[1] * windows.rows.taps * windows.columns.taps, 1);
  const auto* x = static_cast<const float*>(inputs[0].raw_data());
  auto* y = static_cast<float*>(outputs[0].raw_data());
  parallel_for(0, shape[0] * shape[2], std::max<int64_t>(1, kSerialWork / work),
               [&](int64_t first, int64_t last) {
                 ESPALIER_DISPATCH(avg_pool2d_rows)(x, windows, shape[1], first, last, y);
               });
}

const char* avg_pool2d_backward_f32_declines(const AvgPool2dBackward&, Inputs inputs,
                                             std::span<const Tensor> outputs) {
  if (inputs[0].dtype() != Dtype::f32) return "not f32";
  return is_channels_last(outputs[0]) ? nullptr : "not channels-last";
}

size_t avg_pool2d_backward_f32_scratch(const AvgPool2dBackward&, Inputs inputs, std::span<const Tensor>) {
  Workspace counter;
  laid_out(inputs[0], channels_last_strides(inputs[0].shape()), counter);
  return counter.bytes();
}

void avg_pool2d_backward_f32(const AvgPool2dBackward& op, Inputs inputs, Outputs outputs, void* scratch) {
  Workspace memory(scratch);
  const Shape &pooled = inputs[0].shape(), &shape = outputs[0].shape();
  const auto* from = static_cast<const float*>(laid_out(inputs[0], channels_last_strides(pooled), memory));
  const AvgWindows windows(op.forward(), shape);
  const int64_t channels = shape[1], pixels = shape[2] * shape[3];
  // Windows overlap, so an image is the smallest part but for its channels: a few cache lines of them.
  constexpr int64_t kPart = 64;
  const int64_t parts = (channels + kPart - 1) / kPart;
  const int64_t work = std::max<int64_t>(2 * pixels * std::min(kPart, channels), 1);
  auto* dx = static_cast<float*>(outputs[0].raw_data());
  parallel_for(0, shape[0] * parts, std::max<int64_t>(1, kSerialWork / work),
               [&](int64_t first, int64_t last) {
                 for (int64_t part = first; part < last; ++part) {
                   const int64_t image = part / parts, c = part % parts * kPart;
                   ESPALIER_DISPATCH(avg_pool2d_spread)
                   (from + image * pooled[1] * pooled[2] * pooled[3], windows, channels, c,
                    std::min(kPart, channels - c), dx + image * channels * pixels);
                 }
               });
}

}  // namespace espalier
#endif
