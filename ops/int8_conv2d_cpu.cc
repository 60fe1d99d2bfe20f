#include <memory>

#include "core/parallel.h"
#include "ops/int8_conv2d.h"
#include "ops/int8_convolution_internal.h"
#include "ops/layout_internal.h"

namespace espalier {
namespace {

ConvSizes int8_sizes(const Int8Conv2d& op, Inputs inputs, std::span<const Tensor> outputs) {
  return {op.options().conv, inputs[0].shape(), inputs[1].shape(), outputs[0].shape()};
}

Tensor in_channels_last(const Tensor& image) {
  return image.defined() ? laid_out(image, channels_last_strides(image.shape())) : image;
}

Tensor in_order(const Tensor& filters) {
  return laid_out(filters, contiguous_strides(filters.shape()));
}

class PreparedInt8Conv2d final : public PreparedKernel {
 public:
  PreparedInt8Conv2d(const Int8Conv2d& op, Inputs inputs, std::span<const Tensor> outputs)
      : convolution_(Int8Conv2d::kName, int8_sizes(op, inputs, outputs), op.options().product, inputs[1],
                     inputs[2], inputs[3]) {}

  size_t scratch_bytes() const override { return convolution_.scratch_bytes(); }
  void run(Inputs inputs, Outputs outputs, void* scratch) const override {
    convolution_.run(inputs[0], inputs[4], outputs[0], scratch);
  }

 private:
  Int8Convolution convolution_;
};

}  // namespace

const char* int8_conv2d_tiled_declines(const Int8Conv2d& op, Inputs inputs, std::span<const Tensor> outputs) {
  if (op.options().conv.groups != 1) return "has groups";
  return outputs[0].numel() == 0 || inputs[0].numel() == 0 ? "nothing to multiply" : nullptr;
}

void int8_conv2d_tiled(const Int8Conv2d& op, Inputs inputs, Outputs outputs) {
  const Int8Convolution convolution(Int8Conv2d::kName, int8_sizes(op, inputs, outputs), op.options().product,
                                    in_order(inputs[1]), inputs[2], inputs[3]);
  const Tensor scratch = empty({static_cast<int64_t>(convolution.scratch_bytes())}, Dtype::u8);
  convolution.run(inputs[0], in_channels_last(inputs[4]), outputs[0], scratch.raw_data());
}

std::unique_ptr<const PreparedKernel> prepare_int8_conv2d_tiled(const Int8Conv2d& op, Inputs inputs,
                                                                std::span<const Tensor> outputs,
                                                                uint32_t constants) {
  const uint32_t needed = inputs[3].defined() ? 0b1110u : 0b0110u;
  if ((constants & needed) != needed || !inputs[1].is_contiguous() ||
      (inputs[4].defined() && !is_channels_last(inputs[4])))
    return nullptr;
  return std::make_unique<PreparedInt8Conv2d>(op, inputs, outputs);
}

/// The definition, a sum at a time.
void int8_conv2d_plain(const Int8Conv2d& op, Inputs inputs, Outputs outputs) {
  const ConvSizes s = int8_sizes(op, inputs, outputs);
  const Int8Finish finish(Int8Conv2d::kName, op.options().product, inputs[2], inputs[3]);
  const Tensor image = in_channels_last(inputs[0]), filters = in_order(inputs[1]);
  const Tensor residual = in_channels_last(inputs[4]);
  const auto* const x = static_cast<const uint8_t*>(image.raw_data());
  const auto* const weight = static_cast<const int8_t*>(filters.raw_data());
  const auto zero_point = static_cast<int32_t>(op.options().product.input.zero_point);
  const int64_t taps = s.rows.taps * s.columns.taps, channels = s.weight[1];
  const int64_t group_outputs = s.weight[0] / s.groups;
  const auto sum_of = [&](int64_t n, int64_t h, int64_t w, int64_t o) {
    int32_t sum = 0;
    for (int64_t i = s.rows.first_tap(h); i < s.rows.last_tap(h); ++i) {
      for (int64_t j = s.columns.first_tap(w); j < s.columns.last_tap(w); ++j) {
        const int64_t row = s.rows.start(h) + i * s.rows.dilation;
        const int64_t column = s.columns.start(w) + j * s.columns.dilation;
        const uint8_t* const from =
            x + ((n * s.x[2] + row) * s.x[3] + column) * s.x[1] + o / group_outputs * channels;
        const int8_t* const by = weight + o * channels * taps + i * s.columns.taps + j;
        for (int64_t c = 0; c < channels; ++c) sum += (from[c] - zero_point) * by[c * taps];
      }
    }
    return sum;
  };
  const int64_t work = std::max<int64_t>(1, s.weight[0] * channels * taps);
  parallel_for(0, s.y[0] * s.y[2] * s.y[3], std::max<int64_t>(1, kSerialWork / work),
               [&](int64_t first, int64_t last) {
                 for (int64_t pixel = first; pixel < last; ++pixel) {
                   const int64_t w = pixel % s.y[3], h = pixel / s.y[3] % s.y[2];
                   for (int64_t o = 0; o < s.y[1]; ++o) {
                     const int32_t sum = sum_of(pixel / s.y[3] / s.y[2], h, w, o);
                     finish.put(sum, o, residual, pixel * s.y[1] + o, outputs[0]);
                   }
                 }
               });
}

}  // namespace espalier
