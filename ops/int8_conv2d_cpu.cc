#include <memory>

#include "core/parallel.h"
#include "ops/int8_conv2d.h"
#include "ops/int8_convolution_internal.h"
#include "ops/layout_internal.h"
#include "ops/scratch_internal.h"

namespace espalier {
namespace {

ConvSizes int8_sizes(const Int8Conv2d& op, Inputs inputs, std::span<const Tensor> outputs) {
  return {op.options().conv, inputs[0].shape(), inputs[1].shape(), outputs[0].shape()};
}

const uint8_t* in_channels_last(const Tensor& image, Workspace& work) {
  if (!image.defined()) return nullptr;
  return static_cast<const uint8_t*>(laid_out(image, channels_last_strides(image.shape()), work));
}

/// With its weights packed.
class PackedInt8Conv2d {
 public:
  PackedInt8Conv2d(Int8Unit unit, const Int8Conv2d& op, Inputs inputs, std::span<const Tensor> outputs,
                   Workspace& work)
      : convolution(Int8Conv2d::kName, unit, int8_sizes(op, inputs, outputs), op.options().product,
                    row_major_as<int8_t>(inputs[1], work), inputs[2], inputs[3], work) {}

  Int8Convolution convolution;
};

class Int8Conv2dWork {
 public:
  Int8Conv2dWork(Int8Unit unit, const Int8Conv2d& op, Inputs inputs, std::span<const Tensor> outputs,
                 Workspace& work)
      : packed_(unit, op, inputs, outputs, work),
        x_(inputs[0]),
        residual_(in_channels_last(inputs[4], work)),
        y_(outputs[0].raw_data()),
        scratch_(work.take<char>(static_cast<int64_t>(packed_.convolution.scratch_bytes()))) {}

  void run() const { packed_.convolution.run(x_, residual_, y_, scratch_); }

 private:
  PackedInt8Conv2d packed_;
  Int8Image x_;
  const uint8_t* residual_;
  void *y_, *scratch_;
};

class PreparedInt8Conv2d final : public PreparedKernel {
 public:
  PreparedInt8Conv2d(Int8Unit unit, const Int8Conv2d& op, Inputs inputs, std::span<const Tensor> outputs)
      : memory_(scratch_of<PackedInt8Conv2d>(unit, op, inputs, outputs)),
        work_(memory_.get()),
        packed_(unit, op, inputs, outputs, work_) {}

  size_t scratch_bytes() const override { return packed_.convolution.scratch_bytes(); }
  void run(Inputs inputs, Outputs outputs, void* scratch) const override {
    const Tensor& residual = inputs[4];
    const void* const added = residual.defined() ? residual.raw_data() : nullptr;
    packed_.convolution.run(Int8Image(inputs[0]), static_cast<const uint8_t*>(added), outputs[0].raw_data(),
                            scratch);
  }

 private:
  Scratch memory_;
  Workspace work_;
  PackedInt8Conv2d packed_;
};

/// The definition, a sum at a time.
class Int8Conv2dPlain {
 public:
  Int8Conv2dPlain(const Int8Conv2d& op, Inputs inputs, std::span<const Tensor> outputs, Workspace& work)
      : sizes_(int8_sizes(op, inputs, outputs)),
        finish_(Int8Conv2d::kName, op.options().product, inputs[2], inputs[3], sizes_.weight[0], work),
        zero_point_(static_cast<int32_t>(op.options().product.input.zero_point)),
        x_(in_channels_last(inputs[0], work)),
        residual_(in_channels_last(inputs[4], work)),
        weight_(row_major_as<int8_t>(inputs[1], work)),
        y_(outputs[0]) {}

  void run() const {
    const ConvSizes& s = sizes_;
    const int64_t taps = s.rows.taps * s.columns.taps;
    const int64_t work = std::max<int64_t>(1, s.weight[0] * s.weight[1] * taps);
    parallel_for(0, s.y[0] * s.y[2] * s.y[3], std::max<int64_t>(1, kSerialWork / work),
                 [&](int64_t first, int64_t last) {
                   for (int64_t pixel = first; pixel < last; ++pixel) {
                     const int64_t w = pixel % s.y[3], h = pixel / s.y[3] % s.y[2];
                     for (int64_t o = 0; o < s.y[1]; ++o) {
                       const int32_t sum = sum_of(pixel / s.y[3] / s.y[2], h, w, o);
                       finish_.put(sum, o, residual_, pixel * s.y[1] + o, y_);
                     }
                   }
                 });
  }

 private:
  int32_t sum_of(int64_t n, int64_t h, int64_t w, int64_t o) const {
    const ConvSizes& s = sizes_;
    const int64_t taps = s.rows.taps * s.columns.taps, channels = s.weight[1];
    const int64_t group_outputs = s.weight[0] / s.groups;
    int32_t sum = 0;
    for (int64_t i = s.rows.first_tap(h); i < s.rows.last_tap(h); ++i) {
      for (int64_t j = s.columns.first_tap(w); j < s.columns.last_tap(w); ++j) {
        const int64_t row = s.rows.start(h) + i * s.rows.dilation;
        const int64_t column = s.columns.start(w) + j * s.columns.dilation;
        const uint8_t* const from =
            x_ + ((n * s.x[2] + row) * s.x[3] + column) * s.x[1] + o / group_outputs * channels;
        const int8_t* const by = weight_ + o * channels * taps + i * s.columns.taps + j;
        for (int64_t c = 0; c < channels; ++c) sum += (from[c] - zero_point_) * by[c * taps];
      }
    }
    return sum;
  }

  ConvSizes sizes_;
  Int8Finish finish_;
  int32_t zero_point_;
  const uint8_t *x_, *residual_;
  const int8_t* weight_;
  const Tensor& y_;
};

}  // namespace

template <Int8Unit unit>
const char* int8_conv2d_tiled_declines(const Int8Conv2d& op, Inputs inputs, std::span<const Tensor> outputs) {
  if (!int8_kernels(unit)) return "the CPU has no such unit";
  if (op.options().conv.groups != 1) return "has groups";
  return outputs[0].numel() == 0 || inputs[0].numel() == 0 ? "nothing to multiply" : nullptr;
}

const char* int8_conv2d_amx_yields(const Int8Conv2d& op, Inputs inputs, std::span<const Tensor> outputs) {
  return int8_amx_yields(int8_sizes(op, inputs, outputs));
}

template <Int8Unit unit>
size_t int8_conv2d_tiled_scratch(const Int8Conv2d& op, Inputs inputs, std::span<const Tensor> outputs) {
  return scratch_of<Int8Conv2dWork>(unit, op, inputs, outputs);
}

template <Int8Unit unit>
void int8_conv2d_tiled(const Int8Conv2d& op, Inputs inputs, Outputs outputs, void* scratch) {
  run_with<Int8Conv2dWork>(scratch, unit, op, inputs, std::span<const Tensor>(outputs));
}

template <Int8Unit unit>
std::unique_ptr<const PreparedKernel> prepare_int8_conv2d_tiled(const Int8Conv2d& op, Inputs inputs,
                                                                std::span<const Tensor> outputs,
                                                                uint32_t constants) {
  const uint32_t needed = inputs[3].defined() ? 0b1110u : 0b0110u;
  if ((constants & needed) != needed || !inputs[1].is_contiguous() ||
      (inputs[4].defined() && !is_channels_last(inputs[4])))
    return nullptr;
  return std::make_unique<PreparedInt8Conv2d>(unit, op, inputs, outputs);
}

ESPALIER_INSTANTIATE_INT8(Int8Conv2d, int8_conv2d_tiled, Int8Unit::vectors)
ESPALIER_INSTANTIATE_INT8(Int8Conv2d, int8_conv2d_tiled, Int8Unit::amx)

size_t int8_conv2d_plain_scratch(const Int8Conv2d& op, Inputs inputs, std::span<const Tensor> outputs) {
  return scratch_of<Int8Conv2dPlain>(op, inputs, outputs);
}
void int8_conv2d_plain(const Int8Conv2d& op, Inputs inputs, Outputs outputs, void* scratch) {
  run_with<Int8Conv2dPlain>(scratch, op, inputs, std::span<const Tensor>(outputs));
}

}  // namespace espalier
