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

/// The rows of a row-major tensor as images.
Tensor as_images(const Tensor& rows) {
  if (!rows.defined()) return rows;
  const int64_t width = rows.shape().back();
  return rows.with_layout({rows.numel() / width, width, 1, 1}, {width, 1, width, width}, rows.offset());
}

void run_as_convolution(const Int8Convolution& product, Inputs inputs, Outputs outputs, void* scratch) {
  product.run(as_images(inputs[0]), as_images(inputs[4]), as_images(outputs[0]), scratch);
}

class PreparedInt8Linear final : public PreparedKernel {
 public:
  PreparedInt8Linear(const Int8Linear& op, Inputs inputs)
      : product_(Int8Linear::kName, as_convolution(inputs), op.options(), inputs[1], inputs[2], inputs[3]) {}

  size_t scratch_bytes() const override { return product_.scratch_bytes(); }
  void run(Inputs inputs, Outputs outputs, void* scratch) const override {
    run_as_convolution(product_, inputs, outputs, scratch);
  }

 private:
  Int8Convolution product_;
};

}  // namespace

const char* int8_linear_tiled_declines(const Int8Linear&, Inputs inputs, std::span<const Tensor> outputs) {
  return outputs[0].numel() == 0 || inputs[0].numel() == 0 ? "nothing to multiply" : nullptr;
}

void int8_linear_tiled(const Int8Linear& op, Inputs inputs, Outputs outputs) {
  Tensor rows[5];
  for (size_t i = 0; i < 5; ++i) rows[i] = inputs[i].defined() ? row_major(inputs[i]) : Tensor();
  const Int8Convolution product(Int8Linear::kName, as_convolution(rows), op.options(), rows[1], rows[2],
                                rows[3]);
  const Tensor scratch = empty({static_cast<int64_t>(product.scratch_bytes())}, Dtype::u8);
  run_as_convolution(product, rows, outputs, scratch.raw_data());
}

std::unique_ptr<const PreparedKernel> prepare_int8_linear_tiled(const Int8Linear& op, Inputs inputs,
                                                                std::span<const Tensor>, uint32_t constants) {
  for (size_t i = 0; i < 5; ++i) {
    if (!inputs[i].defined()) continue;
    const bool known = i == 0 || i == 4 || constants >> i & 1u;
    if (!known || !inputs[i].is_contiguous()) return nullptr;
  }
  return std::make_unique<PreparedInt8Linear>(op, inputs);
}

/// The definition, a sum at a time.
void int8_linear_plain(const Int8Linear& op, Inputs inputs, Outputs outputs) {
  const Int8Finish finish(Int8Linear::kName, op.options(), inputs[2], inputs[3]);
  const Tensor rows = row_major(inputs[0]), filters = row_major(inputs[1]);
  const Tensor residuals = inputs[4].defined() ? row_major(inputs[4]) : Tensor();
  const auto* const x = static_cast<const uint8_t*>(rows.raw_data());
  const auto* const weight = static_cast<const int8_t*>(filters.raw_data());
  const int64_t out = filters.size(0), in = filters.size(1);
  const auto zero_point = static_cast<int32_t>(op.options().input.zero_point);
  for (int64_t i = 0; i < outputs[0].numel(); ++i) {
    int32_t sum = 0;
    for (int64_t k = 0; k < in; ++k) sum += (x[i / out * in + k] - zero_point) * weight[i % out * in + k];
    finish.put(sum, i % out, residuals, i, outputs[0]);
  }
}

}  // namespace espalier
