#include <algorithm>

#include "core/parallel.h"
#include "ops/int8_global_avg_pool2d.h"
#include "ops/layout_internal.h"

// clang-format off: the order of these includes matters
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "ops/int8_global_avg_pool2d_cpu.cc"
#include "core/highway_internal.h"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"
// clang-format on

HWY_BEFORE_NAMESPACE();
namespace espalier::HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;
using Wide = hn::ScalableTag<uint16_t>;
constexpr auto kWide = static_cast<int64_t>(hn::MaxLanes(Wide()));
constexpr int64_t kTogether = 8;  // vectors of sums that stay in registers
constexpr int64_t kPixels = 256;  // so many u8 add up to a u16

/// Adds to `sums` those of `vectors` vectors of channels over pixels that lie `step` bytes apart.
template <int64_t vectors>
void add_channels(const uint8_t* x, int64_t pixels, int64_t step, int32_t* sums) {
  const Wide wide;
  const hn::Rebind<uint8_t, Wide> bytes;
  for (int64_t first = 0; first < pixels; first += kPixels) {
    hn::Vec<Wide> some[vectors];
#pragma GCC unroll 8
    for (auto& sum : some) sum = hn::Zero(wide);
    for (int64_t last = std::min(first + kPixels, pixels), pixel = first; pixel < last; ++pixel) {
#pragma GCC unroll 8
      for (int64_t v = 0; v < vectors; ++v)
        some[v] = hn::Add(some[v], hn::PromoteTo(wide, hn::LoadU(bytes, x + pixel * step + v * kWide)));
    }
    for (int64_t v = 0; v < vectors; ++v) {
      HWY_ALIGN uint16_t lanes[kWide];
      hn::Store(some[v], wide, lanes);
      for (int64_t i = 0; i < kWide; ++i) sums[v * kWide + i] += lanes[i];
    }
  }
}

/// The sums of `channels` neighbours over pixels that lie `step` bytes apart.
void sum_channels(const uint8_t* x, int64_t pixels, int64_t step, int64_t channels, int32_t* sums) {
  std::fill_n(sums, channels, 0);
  int64_t c = 0;
  for (; c + kTogether * kWide <= channels; c += kTogether * kWide)
    add_channels<kTogether>(x + c, pixels, step, sums + c);
  for (; c + kWide <= channels; c += kWide) add_channels<1>(x + c, pixels, step, sums + c);
  for (; c < channels; ++c) {
    for (int64_t pixel = 0; pixel < pixels; ++pixel) sums[c] += x[pixel * step + c];
  }
}

}  // namespace

void sum_channels_of_target(const uint8_t* x, int64_t pixels, int64_t step, int64_t channels, int32_t* sums) {
  sum_channels(x, pixels, step, channels, sums);
}

}  // namespace espalier::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace espalier {
namespace {

constexpr int64_t kChannels = 256;  // that a thread sums up at once: what AVX-512 has registers for

}  // namespace

HWY_EXPORT(sum_channels_of_target);

size_t int8_global_avg_pool2d_scratch(const Int8GlobalAvgPool2d&, Inputs inputs, std::span<const Tensor>) {
  Workspace counter;
  laid_out(inputs[0], channels_last_strides(inputs[0].shape()), counter);
  return counter.bytes();
}

void int8_global_avg_pool2d_cpu(const Int8GlobalAvgPool2d& op, Inputs inputs, Outputs outputs,
                                void* scratch) {
  Workspace work(scratch);
  const Tensor& image = inputs[0];
  const auto* const x =
      static_cast<const uint8_t*>(laid_out(image, channels_last_strides(image.shape()), work));
  auto* const y = static_cast<float*>(outputs[0].raw_data());
  const int64_t channels = image.shape()[1], pixels = image.shape()[2] * image.shape()[3];
  const auto zeros_sum = static_cast<int32_t>(pixels * op.input().zero_point);
  const auto factor = static_cast<float>(op.input().scale / static_cast<double>(pixels));
  const int64_t chunks = (channels + kChannels - 1) / kChannels;
  // An addition of bytes is a quarter of a simple operation on floats.
  const int64_t grain = std::max<int64_t>(1, kSerialWork * 4 / (pixels * kChannels));
  const auto sum = ESPALIER_DISPATCH(sum_channels_of_target);
  parallel_for(0, image.shape()[0] * chunks, grain, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const int64_t n = i / chunks, channel = i % chunks * kChannels;
      const int64_t count = std::min(kChannels, channels - channel);
      int32_t sums[kChannels];
      sum(x + n * pixels * channels + channel, pixels, channels, count, sums);
      for (int64_t c = 0; c < count; ++c)
        y[n * channels + channel + c] = static_cast<float>(sums[c] - zeros_sum) * factor;
    }
  });
}

}  // namespace espalier
#endif
