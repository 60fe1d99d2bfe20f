#include <algorithm>
#include <utility>

#include "ops/fused_linear.h"
#include "ops/inner_kernel_internal.h"
#include "ops/linear.h"
#include "ops/matrix_vector_internal.h"
#include "ops/onednn_internal.h"

namespace espalier {

namespace {

/// A product whose weights are constant and packed as the library likes them.
class PackedLinear final : public PreparedKernel {
 public:
  PackedLinear(std::unique_ptr<const onednn::PackedProduct> product, const Tensor& weight)
      : product_(std::move(product)),
        packed_(empty({static_cast<int64_t>(product_->packed_bytes())}, Dtype::u8)) {
    product_->pack(weight.data<float>(), packed_.raw_data());
  }

  size_t scratch_bytes() const override { return product_->scratch_bytes(); }

  void run(Inputs inputs, Outputs outputs, void* scratch) const override {
    product_->run(inputs[0].raw_data(), packed_.raw_data(),
                  inputs[2].defined() ? inputs[2].raw_data() : nullptr, outputs[0].raw_data(), scratch);
  }

 private:
  std::unique_ptr<const onednn::PackedProduct> product_;
  Tensor packed_;
};

/// The same for one row of inputs.
class PackedRow final : public PreparedKernel {
 public:
  PackedRow(const Tensor& weight, bool accumulate, Activation activation)
      : rows_(weight.size(0)),
        columns_(weight.size(1)),
        accumulate_(accumulate),
        activation_(activation),
        packed_(empty({static_cast<int64_t>(packed_matrix_size(rows_, columns_))})) {
    pack_matrix(weight.data<float>(), rows_, columns_, static_cast<float*>(packed_.raw_data()));
  }

  void run(Inputs inputs, Outputs outputs, void*) const override {
    const auto* const bias = inputs[2].defined() ? static_cast<const float*>(inputs[2].raw_data()) : nullptr;
    matrix_vector({.rows = rows_,
                   .columns = columns_,
                   .packed = static_cast<const float*>(packed_.raw_data()),
                   .x = static_cast<const float*>(inputs[0].raw_data()),
                   .bias = bias,
                   .y = static_cast<float*>(outputs[0].raw_data()),
                   .accumulate = accumulate_,
                   .relu = activation_ == Activation::relu});
    if (activation_ != Activation::relu) activate_in_place(outputs[0], activation_);
  }

 private:
  int64_t rows_, columns_;
  bool accumulate_;
  Activation activation_;
  Tensor packed_;
};

bool row_major_f32(const Tensor& tensor) {
  return tensor.dtype() == Dtype::f32 && tensor.is_contiguous();
}

std::unique_ptr<const PreparedKernel> packed_linear(Inputs inputs, bool accumulate, Activation activation,
                                                    uint32_t constants) {
  const Tensor &x = inputs[0], &weight = inputs[1], &bias = inputs[2];
  if (!(constants & 0b10u) || !row_major_f32(x) || !row_major_f32(weight) ||
      (bias.defined() && !row_major_f32(bias)))
    return nullptr;
  const onednn::ProductProblem problem{.m = x.numel() / std::max<int64_t>(weight.size(1), 1),
                                       .n = weight.size(0),
                                       .k = weight.size(1),
                                       .bias = bias.defined(),
                                       .accumulate = accumulate,
                                       .activation = activation};
  if (problem.m == 0 || problem.n == 0 || problem.k == 0) return nullptr;
  if (problem.m == 1) return std::make_unique<PackedRow>(weight, accumulate, activation);
  return std::make_unique<PackedLinear>(onednn::PackedProduct::make(problem), weight);
}

}  // namespace

std::unique_ptr<const PreparedKernel> prepare_linear(const Linear&, Inputs inputs, std::span<const Tensor>,
                                                     uint32_t constants) {
  return packed_linear(inputs, false, Activation::none, constants);
}

std::unique_ptr<const PreparedKernel> prepare_fused_linear(const FusedLinear& op, Inputs inputs,
                                                           std::span<const Tensor>, uint32_t constants) {
  return packed_linear(inputs, inputs[3].defined(), op.activation(), constants);
}

namespace {

class LinearApart {
 public:
  LinearApart(const FusedLinear& op, Inputs inputs, std::span<const Tensor> outputs, Workspace& work)
      : steps_(linear_, op.activation(), inputs, outputs, work) {}
  void run() const { steps_.run(); }

 private:
  Linear linear_;
  ProductApart steps_;
};

}  // namespace

size_t fused_linear_apart_scratch(const FusedLinear& op, Inputs inputs, std::span<const Tensor> outputs) {
  return scratch_of<LinearApart>(op, inputs, outputs);
}
void fused_linear_apart(const FusedLinear& op, Inputs inputs, Outputs outputs, void* scratch) {
  run_with<LinearApart>(scratch, op, inputs, std::span<const Tensor>(outputs));
}

}  // namespace espalier
