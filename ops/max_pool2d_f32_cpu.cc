#include <algorithm>
#include <cstdint>
#include <limits>

#include "core/parallel.h"
#include "ops/layout_internal.h"
#include "ops/max_pool2d.h"
#include "ops/window_internal.h"

// clang-format off
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "ops/max_pool2d_f32_cpu.cc"
#include "core/highway_internal.h"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"
#include "core/masked-inl.h"
// clang-format on

HWY_BEFORE_NAMESPACE();
namespace espalier::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

/// One window in channels-last memory, a vector of channels at a time. `x` is the image.
void max_window(const float* x, const WindowAxis& rows, const WindowAxis& columns, int64_t h, int64_t w,
                int64_t channels, float* y, int32_t* indices) {
  const hn::ScalableTag<float> d;
  const hn::RebindToSigned<decltype(d)> di;
  const auto lanes = static_cast<int64_t>(hn::Lanes(d));
  const int64_t i0 = rows.first_tap(h), i1 = rows.last_tap(h);
  const int64_t j0 = columns.first_tap(w), j1 = columns.last_tap(w);
  const auto run = [&](int64_t c, const auto& load) HWY_ATTR {
    auto best = hn::Set(d, -std::numeric_limits<float>::infinity());
    // Where all are -inf, the first one is the largest.
    const bool any = i0 < i1 && j0 < j1;
    const int64_t start =
        (rows.start(h) + i0 * rows.dilation) * columns.size + columns.start(w) + j0 * columns.dilation;
    auto index = hn::Set(di, any ? static_cast<int32_t>(start) : -1);
    for (int64_t i = i0; i < i1; ++i) {
      for (int64_t j = j0; j < j1; ++j) {
        const int64_t place =
            (rows.start(h) + i * rows.dilation) * columns.size + columns.start(w) + j * columns.dilation;
        const auto value = load(x + place * channels + c);
        const auto larger = hn::Or(hn::Gt(value, best), hn::IsNaN(value));
        best = hn::IfThenElse(larger, value, best);
        index = hn::IfThenElse(hn::RebindMask(di, larger), hn::Set(di, static_cast<int32_t>(place)), index);
      }
    }
    return std::pair(best, index);
  };
  int64_t c = 0;
  for (; c + lanes <= channels; c += lanes) {
    const auto [best, index] = run(c, [&](const float* from) HWY_ATTR { return hn::LoadU(d, from); });
    hn::StoreU(best, d, y + c);
    hn::StoreU(index, di, indices + c);
  }
  if (c < channels) {
    const auto rest = static_cast<size_t>(channels - c);
    const auto mask = hn::FirstN(d, rest);
    const auto [best, index] = run(c, [&](const float* from) HWY_ATTR { return load_first(mask, d, from); });
    hn::BlendedStore(best, mask, d, y + c);
    hn::BlendedStore(index, hn::FirstN(di, rest), di, indices + c);
  }
}

void max_pool2d_rows(const float* x, const WindowAxis& rows, const WindowAxis& columns, int64_t channels,
                     int64_t first, int64_t last, float* y, int32_t* indices) {
  const int64_t height = rows.windows(), width = columns.windows();
  for (int64_t row = first; row < last; ++row) {
    // NOLINTNEXTLINE(clang-analyzer-core.DivideZero): without windows there are no rows
    const float* image = x + row / height * rows.size * columns.size * channels;
    for (int64_t w = 0; w < width; ++w) {
      const int64_t at = (row * width + w) * channels;
      max_window(image, rows, columns, row % height, w, channels, y + at, indices + at);
    }
  }
}

}  // namespace espalier::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace espalier {

HWY_EXPORT(max_pool2d_rows);

const char* max_pool2d_f32_declines(const MaxPool2d&, Inputs inputs, std::span<const Tensor> outputs) {
  if (inputs[0].dtype() != Dtype::f32) return "not f32";
  if (!is_channels_last(inputs[0]) || !is_channels_last(outputs[0])) return "not channels-last";
  return nullptr;
}

void max_pool2d_f32(const MaxPool2d& op, Inputs inputs, Outputs outputs) {
  const Shape& shape = outputs[0].shape();
  const Window window{op.kernel(), op.stride(), op.padding(), op.dilation()};
  const WindowAxis rows = window.rows(inputs[0].shape()[2]), columns = window.columns(inputs[0].shape()[3]);
  const int64_t work = std::max<int64_t>(shape[3] * shape[1] * rows.taps * columns.taps, 1);
  const auto* x = static_cast<const float*>(inputs[0].raw_data());
  auto* y = static_cast<float*>(outputs[0].raw_data());
  auto* indices = static_cast<int32_t*>(outputs[1].raw_data());
  parallel_for(0, shape[0] * shape[2], std::max<int64_t>(1, kSerialWork / work),
               [&](int64_t first, int64_t last) {
                 ESPALIER_DISPATCH(max_pool2d_rows)(x, rows, columns, shape[1], first, last, y, indices);
               });
}

const char* max_pool2d_backward_f32_declines(const MaxPool2dBackward&, Inputs inputs,
                                             std::span<const Tensor> outputs) {
  if (inputs[0].dtype() != Dtype::f32) return "not f32";
  if (!is_channels_last(inputs[1]) || !is_channels_last(outputs[0])) return "not channels-last";
  return nullptr;
}

size_t max_pool2d_backward_f32_scratch(const MaxPool2dBackward&, Inputs inputs, std::span<const Tensor>) {
  Workspace counter;
  laid_out(inputs[0], channels_last_strides(inputs[0].shape()), counter);
  return counter.bytes();
}

void max_pool2d_backward_f32(const MaxPool2dBackward&, Inputs inputs, Outputs outputs, void* scratch) {
  Workspace memory(scratch);
  const Shape &pooled = inputs[0].shape(), &shape = outputs[0].shape();
  const auto* from = static_cast<const float*>(laid_out(inputs[0], channels_last_strides(pooled), memory));
  const int64_t channels = shape[1], pixels = shape[2] * shape[3], windows = pooled[2] * pooled[3];
  // Windows overlap, so an image is the smallest part but for its channels: a cache line of them.
  constexpr int64_t kPart = 64;
  const int64_t parts = (channels + kPart - 1) / kPart;
  const auto* indices = static_cast<const int32_t*>(inputs[1].raw_data());
  auto* dx = static_cast<float*>(outputs[0].raw_data());
  const int64_t work = std::max<int64_t>((pixels + 2 * windows) * std::min(kPart, channels), 1);
  parallel_for(0, shape[0] * parts, std::max<int64_t>(1, kSerialWork / work),
               [&](int64_t first, int64_t last) {
                 for (int64_t part = first; part < last; ++part) {
                   const int64_t c0 = part % parts * kPart, width = std::min(kPart, channels - c0);
                   float* image = dx + part / parts * pixels * channels + c0;
                   for (int64_t pixel = 0; pixel < pixels; ++pixel)
                     std::fill_n(image + pixel * channels, width, 0.0f);
                   for (int64_t w = 0; w < windows; ++w) {
                     const int64_t at = (part / parts * windows + w) * channels + c0;
                     for (int64_t c = 0; c < width; ++c) {
                       const int32_t index = indices[at + c];
                       if (index >= 0 && index < pixels) image[index * channels + c] += from[at + c];
                     }
                   }
                 }
               });
}

}  // namespace espalier
#endif
