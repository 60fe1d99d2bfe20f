#include <algorithm>

#include "core/parallel.h"
#include "ops/int8_max_pool2d.h"
#include "ops/window_internal.h"

namespace espalier {
namespace {

/// Raises `channels` elements, `to_step` apart, to those at `from`. Of neighbours the compiler makes vectors.
void raise(const uint8_t* from, int64_t from_step, int64_t channels, uint8_t* to, int64_t to_step) {
  if (from_step == 1 && to_step == 1) {
    for (int64_t c = 0; c < channels; ++c) to[c] = std::max(to[c], from[c]);
  } else {
    for (int64_t c = 0; c < channels; ++c) to[c * to_step] = std::max(to[c * to_step], from[c * from_step]);
  }
}

}  // namespace

void int8_max_pool2d_cpu(const Int8MaxPool2d& op, Inputs inputs, Outputs outputs) {
  const Shape &from = inputs[0].shape(), &to = outputs[0].shape();
  const Strides &from_strides = inputs[0].strides(), &to_strides = outputs[0].strides();
  const auto* const x = static_cast<const uint8_t*>(inputs[0].raw_data());
  auto* const y = static_cast<uint8_t*>(outputs[0].raw_data());
  const Window window{op.kernel(), op.stride(), op.padding(), op.dilation()};
  const WindowAxis rows = window.rows(from[2]), columns = window.columns(from[3]);
  const int64_t channels = to[1], work = std::max<int64_t>(1, rows.taps * columns.taps * channels);
  std::fill_n(y, outputs[0].numel(), uint8_t{0});
  const auto pool_pixel = [&](int64_t n, int64_t h, int64_t w) {
    uint8_t* const result = y + n * to_strides[0] + h * to_strides[2] + w * to_strides[3];
    for (int64_t i = rows.first_tap(h); i < rows.last_tap(h); ++i) {
      for (int64_t j = columns.first_tap(w); j < columns.last_tap(w); ++j) {
        const int64_t row = rows.start(h) + i * rows.dilation;
        const int64_t column = columns.start(w) + j * columns.dilation;
        raise(x + n * from_strides[0] + row * from_strides[2] + column * from_strides[3], from_strides[1],
              channels, result, to_strides[1]);
      }
    }
  };
  // Sixteen bytes are compared at once.
  parallel_for(0, to[0] * to[2] * to[3], std::max<int64_t>(1, 16 * kSerialWork / work),
               [&](int64_t first, int64_t last) {
                 for (int64_t pixel = first; pixel < last; ++pixel)
                   pool_pixel(pixel / to[3] / to[2], pixel / to[3] % to[2], pixel % to[3]);
               });
}

}  // namespace espalier
