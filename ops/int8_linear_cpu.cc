#include <memory>

#include "ops/int8_convolution_internal.h"
#include "ops/int8_linear.h"
#include "ops/scratch_internal.h"

namespace espalier {
namespace {

/// A linear layer as a convolution of images of one pixel, one a row of x.
ConvSizes as_convolution(Inputs inputs) {
  const Shape& weight = inputs[1].shape();
  const int64_t rows = inputs[0].numel() / weight[1];
  return {Conv2dOptions(), {rows, weight[1], 1, 1}, {weight[0], weight[1], 1, 1}, {rows, weight[0], 1, 1}};
}

const uint8_t* rows_of(const Tensor& tensor, Workspace& work) {
  return row_major_as<uint8_t>(tensor, work);
}

/// With its weights packed.
class PackedInt8Linear {
 public:
  PackedInt8Linear(Int8Unit unit, const Int8Linear& op, Inputs inputs, Workspace& work)
      : product_(Int8Linear::kName, unit, as_convolution(inputs), op.options(),
                 row_major_as<int8_t>(inputs[1], work), inputs[2], inputs[3], work),
        width_(inputs[1].shape()[1]) {}

  size_t scratch_bytes() const { return product_.scratch_bytes(); }
  /// Of row-major tensors, whose rows are the images.
  void run(const uint8_t* x, const uint8_t* residual, void* y, void* scratch) const {
    product_.run({x, {width_, 1, width_, width_}}, residual, y, scratch);
  }

 private:
  Int8Convolution product_;
  int64_t width_;
};

class Int8LinearWork {
 public:
  Int8LinearWork(Int8Unit unit, const Int8Linear& op, Inputs inputs, std::span<const Tensor> outputs,
                 Workspace& work)
      : packed_(unit, op, inputs, work),
        x_(rows_of(inputs[0], work)),
        residual_(rows_of(inputs[4], work)),
        y_(outputs[0].raw_data()),
        scratch_(work.take<char>(static_cast<int64_t>(packed_.scratch_bytes()))) {}

  void run() const { packed_.run(x_, residual_, y_, scratch_); }

 private:
  PackedInt8Linear packed_;
  const uint8_t *x_, *residual_;
  void *y_, *scratch_;
};

class PreparedInt8Linear final : public PreparedKernel {
 public:
  PreparedInt8Linear(Int8Unit unit, const Int8Linear& op, Inputs inputs)
      : memory_(scratch_of<PackedInt8Linear>(unit, op, inputs)),
        work_(memory_.get()),
        packed_(unit, op, inputs, work_) {}

  size_t scratch_bytes() const override { return packed_.scratch_bytes(); }
  void run(Inputs inputs, Outputs outputs, void* scratch) const override {
    Workspace none;  // the inputs are row-major
    packed_.run(rows_of(inputs[0], none), rows_of(inputs[4], none), outputs[0].raw_data(), scratch);
  }

 private:
  Scratch memory_;
  Workspace work_;
  PackedInt8Linear packed_;
};

/// The definition, a sum at a time.
class Int8LinearPlain {
 public:
  Int8LinearPlain(const Int8Linear& op, Inputs inputs, std::span<const Tensor> outputs, Workspace& work)
      : out_(inputs[1].shape()[0]),
        in_(inputs[1].shape()[1]),
        finish_(Int8Linear::kName, op.options(), inputs[2], inputs[3], out_, work),
        zero_point_(static_cast<int32_t>(op.options().input.zero_point)),
        x_(rows_of(inputs[0], work)),
        residual_(rows_of(inputs[4], work)),
        weight_(row_major_as<int8_t>(inputs[1], work)),
        y_(outputs[0]) {}

  void run() const {
    for (int64_t i = 0; i < y_.numel(); ++i) {
      int32_t sum = 0;
      for (int64_t k = 0; k < in_; ++k)
        sum += (x_[i / out_ * in_ + k] - zero_point_) * weight_[i % out_ * in_ + k];
      finish_.put(sum, i % out_, residual_, i, y_);
    }
  }

 private:
  int64_t out_, in_;
  Int8Finish finish_;
  int32_t zero_point_;
  const uint8_t *x_, *residual_;
  const int8_t* weight_;
  const Tensor& y_;
};

}  // namespace

template <Int8Unit unit>
const char* int8_linear_tiled_declines(const Int8Linear&, Inputs inputs, std::span<const Tensor> outputs) {
  if (!int8_kernels(unit)) return "the CPU has no such unit";
  return outputs[0].numel() == 0 || inputs[0].numel() == 0 ? "nothing to multiply" : nullptr;
}

const char* int8_linear_amx_yields(const Int8Linear&, Inputs inputs, std::span<const Tensor>) {
  return int8_amx_yields(as_convolution(inputs));
}

template <Int8Unit unit>
size_t int8_linear_tiled_scratch(const Int8Linear& op, Inputs inputs, std::span<const Tensor> outputs) {
  return scratch_of<Int8LinearWork>(unit, op, inputs, outputs);
}

template <Int8Unit unit>
void int8_linear_tiled(const Int8Linear& op, Inputs inputs, Outputs outputs, void* scratch) {
  run_with<Int8LinearWork>(scratch, unit, op, inputs, std::span<const Tensor>(outputs));
}

template <Int8Unit unit>
std::unique_ptr<const PreparedKernel> prepare_int8_linear_tiled(const Int8Linear& op, Inputs inputs,
                                                                std::span<const Tensor>, uint32_t constants) {
  for (size_t i = 0; i < 5; ++i) {
    if (!inputs[i].defined()) continue;
    const bool known = i == 0 || i == 4 || constants >> i & 1u;
    if (!known || !inputs[i].is_contiguous()) return nullptr;
  }
  return std::make_unique<PreparedInt8Linear>(unit, op, inputs);
}

ESPALIER_INSTANTIATE_INT8(Int8Linear, int8_linear_tiled, Int8Unit::vectors)
ESPALIER_INSTANTIATE_INT8(Int8Linear, int8_linear_tiled, Int8Unit::amx)

size_t int8_linear_plain_scratch(const Int8Linear& op, Inputs inputs, std::span<const Tensor> outputs) {
  return scratch_of<Int8LinearPlain>(op, inputs, outputs);
}
void int8_linear_plain(const Int8Linear& op, Inputs inputs, Outputs outputs, void* scratch) {
  run_with<Int8LinearPlain>(scratch, op, inputs, std::span<const Tensor>(outputs));
}

}  // namespace espalier
