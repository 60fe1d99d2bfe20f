#include <algorithm>

#include "core/parallel.h"
#include "ops/int8_global_avg_pool2d.h"
#include "ops/layout_internal.h"

namespace espalier {
namespace {

constexpr int64_t kChannels = 64;  // whose sums are made at once: a line of the cache

/// The sums of up to kChannels channels over pixels that lie `step` bytes apart.
void sum_channels(const uint8_t* x, int64_t pixels, int64_t step, int64_t channels, int32_t* sums) {
  std::fill_n(sums, kChannels, 0);
  constexpr int64_t kBlock = 256;  // so many u8 add up to a u16
  for (int64_t first = 0; first < pixels; first += kBlock) {
    const int64_t last = std::min(first + kBlock, pixels);
    uint16_t block[kChannels] = {};
    for (int64_t pixel = first; pixel < last; ++pixel) {
      const uint8_t* const from = x + pixel * step;
      if (channels == kChannels) {  // a length that the compiler knows
        for (int64_t c = 0; c < kChannels; ++c) block[c] = static_cast<uint16_t>(block[c] + from[c]);
      } else {
        for (int64_t c = 0; c < channels; ++c) block[c] = static_cast<uint16_t>(block[c] + from[c]);
      }
    }
    for (int64_t c = 0; c < kChannels; ++c) sums[c] += block[c];
  }
}

}  // namespace

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
  parallel_for(0, image.shape()[0] * chunks, grain, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const int64_t n = i / chunks, channel = i % chunks * kChannels;
      const int64_t count = std::min(kChannels, channels - channel);
      int32_t sums[kChannels];
      sum_channels(x + n * pixels * channels + channel, pixels, channels, count, sums);
      for (int64_t c = 0; c < count; ++c)
        y[n * channels + channel + c] = static_cast<float>(sums[c] - zeros_sum) * factor;
    }
  });
}

}  // namespace espalier
