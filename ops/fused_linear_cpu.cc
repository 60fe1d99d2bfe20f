#include <algorithm>
#include <memory>

#include "core/create.h"
#include "ops/fused_linear.h"
#include "ops/inner_kernel_internal.h"
#include "ops/linear.h"
#include "ops/matrix_vector_internal.h"
#include "ops/onednn_internal.h"
#include "ops/small_gemm_internal.h"

namespace espalier {

namespace {

/// Applies what the products do not themselves.
void apply_gelu(Activation activation, Outputs outputs) {
  if (activation != Activation::relu) activate_in_place(outputs[0], activation);
}

const float* floats_or_null(const Tensor& tensor) {
  return tensor.defined() ? static_cast<const float*>(tensor.raw_data()) : nullptr;
}

/// A product whose weights are constant and packed as the library likes them.
class PackedLinear final : public PreparedKernel {
 public:
  PackedLinear(const onednn::ProductProblem& problem, const Tensor& weight)
      : product_(onednn::PackedProduct::make(problem)),
        packed_(empty({static_cast<int64_t>(product_->packed_bytes())}, Dtype::u8)) {
    product_->pack(weight.data<float>(), packed_.raw_data());
  }

  size_t scratch_bytes() const override { return product_->scratch_bytes(); }

  void run(Inputs inputs, Outputs outputs, void* scratch) const override {
    product_->run(inputs[0].raw_data(), packed_.raw_data(), floats_or_null(inputs[2]), outputs[0].raw_data(),
                  scratch);
  }

 private:
  std::unique_ptr<const onednn::PackedProduct> product_;
  Tensor packed_;
};

/// The same for one row of inputs.
class PackedRow final : public PreparedKernel {
 public:
  PackedRow(const onednn::ProductProblem& problem, const Tensor& weight)
      : problem_(problem), packed_(empty({static_cast<int64_t>(packed_matrix_size(problem.n, problem.k))})) {
    pack_matrix(weight.data<float>(), problem.n, problem.k, static_cast<float*>(packed_.raw_data()));
  }

  void run(Inputs inputs, Outputs outputs, void*) const override {
    matrix_vector({.rows = problem_.n,
                   .columns = problem_.k,
                   .packed = static_cast<const float*>(packed_.raw_data()),
                   .x = static_cast<const float*>(inputs[0].raw_data()),
                   .bias = floats_or_null(inputs[2]),
                   .y = static_cast<float*>(outputs[0].raw_data()),
                   .accumulate = problem_.accumulate,
                   .relu = problem_.activation == Activation::relu});
    apply_gelu(problem_.activation, outputs);
  }

 private:
  onednn::ProductProblem problem_;
  Tensor packed_;
};

/// The same for so few multiplications that one thread does them in a microsecond or a few: W is transposed,
/// and its rows filled up to whole vectors.
class PackedSmall final : public PreparedKernel {
 public:
  PackedSmall(const onednn::ProductProblem& problem, const Tensor& weight)
      : problem_(problem),
        row_((problem.n + kVector - 1) / kVector * kVector),
        packed_(zeros({problem.k, row_})) {
    const auto* const w = weight.data<float>();
    auto* const packed = static_cast<float*>(packed_.raw_data());
    for (int64_t j = 0; j < problem.n; ++j) {
      for (int64_t i = 0; i < problem.k; ++i) packed[i * row_ + j] = w[j * problem.k + i];
    }
  }

  void run(Inputs inputs, Outputs outputs, void*) const override {
    Gemm p;
    p.m = problem_.m;
    p.n = problem_.n;
    p.k = problem_.k;
    p.a = static_cast<const float*>(inputs[0].raw_data());
    p.a_row = problem_.k;
    p.a_col = 1;
    p.b = static_cast<const float*>(packed_.raw_data());
    p.b_row = row_;
    p.b_col = 1;
    p.c = static_cast<float*>(outputs[0].raw_data());
    p.c_row = problem_.n;
    p.bias = floats_or_null(inputs[2]);
    p.accumulate = problem_.accumulate;
    p.relu = problem_.activation == Activation::relu;
    p.b_padded = true;
    small_gemm(p);
    apply_gelu(problem_.activation, outputs);
  }

 private:
  static constexpr int64_t kVector = 16;  // of the widest instruction set

  onednn::ProductProblem problem_;
  int64_t row_;
  Tensor packed_;
};

bool row_major_f32(const Tensor& tensor) {
  return !tensor.defined() || (tensor.dtype() == Dtype::f32 && tensor.is_contiguous());
}

bool can_be_packed(Inputs inputs) {
  return row_major_f32(inputs[0]) && row_major_f32(inputs[1]) && row_major_f32(inputs[2]) &&
         inputs[0].numel() > 0 && inputs[1].numel() > 0;
}

onednn::ProductProblem product_of(const Linear&, Inputs inputs) {
  const Tensor& weight = inputs[1];
  return {.m = inputs[0].numel() / std::max<int64_t>(weight.size(1), 1),
          .n = weight.size(0),
          .k = weight.size(1),
          .bias = inputs[2].defined()};
}
onednn::ProductProblem product_of(const FusedLinear& op, Inputs inputs) {
  onednn::ProductProblem problem = product_of(Linear(), inputs);
  problem.accumulate = inputs[3].defined();
  problem.activation = op.activation();
  return problem;
}

/// Weights must be constant to be packed.
template <class Packed, class Op>
std::unique_ptr<const PreparedKernel> packed_linear(const Op& op, Inputs inputs, uint32_t constants) {
  if (!(constants & 0b10u) || !can_be_packed(inputs)) return nullptr;
  return std::make_unique<Packed>(product_of(op, inputs), inputs[1]);
}

/// Whether there are at most so many multiply-adds, none of whose factors need fit in a product of two.
bool at_most(const onednn::ProductProblem& p, int64_t work) {
  return p.m <= work && p.n <= work && p.m * p.n <= work / p.k;
}

}  // namespace

// For Linear and FusedLinear. Where weights are not constant, all of them do what the last in the list does.

template <class Op>
const char* linear_row_declines(const Op& op, Inputs inputs, std::span<const Tensor>) {
  if (!can_be_packed(inputs)) return "an operand is not row-major f32";
  return product_of(op, inputs).m == 1 ? nullptr : "more than one row";
}

template <class Op>
const char* linear_small_declines(const Op& op, Inputs inputs, std::span<const Tensor>) {
  // Of which some are worth timing; it computes on one thread.
  constexpr int64_t kMostWork = 1'000'000;
  if (!can_be_packed(inputs)) return "an operand is not row-major f32";
  const onednn::ProductProblem problem = product_of(op, inputs);
  return problem.k <= kSmallGemmMaxDepth && at_most(problem, kMostWork) ? nullptr : "a large product";
}

// Weights packed, bias and ReLU, microseconds on one thread, or on two where they are faster, of an EPYC 9004
// (AVX-512) with oneDNN 2.6.3; its spread over 101 turns is 3 % at most:
//    m x n x k        here  oneDNN       m x n x k        here  oneDNN, 1 and 2 threads
//    2 x 16 x 16      0.03   0.39       16 x 64 x 64      1.23   1.55   1.54
//    8 x 16 x 16      0.06   0.41       16 x 128 x 128    4.70   5.00   5.24
//   32 x 16 x 16      0.19   0.53       32 x 64 x 64      2.45   2.68   3.77
//    2 x 64 x 64      0.23   0.54       32 x 128 x 128    9.44   9.56   7.27
//    4 x 128 x 128    1.19   1.61       64 x 64 x 64      4.92   4.94   5.14
//    8 x 64 x 64      0.62   0.97       64 x 128 x 128   18.69  18.62  12.14
//    8 x 128 x 128    2.36   2.72
template <class Op>
const char* linear_small_yields(const Op& op, Inputs inputs, std::span<const Tensor>) {
  constexpr int64_t kWins = 270'000;
  return at_most(product_of(op, inputs), kWins) ? nullptr : "enough work for the library to pay";
}

template <class Op>
std::unique_ptr<const PreparedKernel> prepare_linear_row(const Op& op, Inputs inputs, std::span<const Tensor>,
                                                         uint32_t constants) {
  return packed_linear<PackedRow>(op, inputs, constants);
}
template <class Op>
std::unique_ptr<const PreparedKernel> prepare_linear_small(const Op& op, Inputs inputs,
                                                           std::span<const Tensor>, uint32_t constants) {
  return packed_linear<PackedSmall>(op, inputs, constants);
}
template <class Op>
std::unique_ptr<const PreparedKernel> prepare_linear_onednn(const Op& op, Inputs inputs,
                                                            std::span<const Tensor>, uint32_t constants) {
  return packed_linear<PackedLinear>(op, inputs, constants);
}

#define ESPALIER_PACKED_LINEAR(Op)                                                                          \
  template const char* linear_row_declines<Op>(const Op&, Inputs, std::span<const Tensor>);                 \
  template const char* linear_small_declines<Op>(const Op&, Inputs, std::span<const Tensor>);               \
  template const char* linear_small_yields<Op>(const Op&, Inputs, std::span<const Tensor>);                 \
  template std::unique_ptr<const PreparedKernel> prepare_linear_row<Op>(const Op&, Inputs,                  \
                                                                        std::span<const Tensor>, uint32_t); \
  template std::unique_ptr<const PreparedKernel> prepare_linear_small<Op>(                                  \
      const Op&, Inputs, std::span<const Tensor>, uint32_t);                                                \
  template std::unique_ptr<const PreparedKernel> prepare_linear_onednn<Op>(                                 \
      const Op&, Inputs, std::span<const Tensor>, uint32_t);

ESPALIER_PACKED_LINEAR(Linear)
ESPALIER_PACKED_LINEAR(FusedLinear)

size_t fused_linear_apart_scratch(const FusedLinear& op, Inputs inputs, std::span<const Tensor> outputs) {
  return product_apart_scratch(Linear(), op.activation(), inputs, outputs);
}
void fused_linear_apart(const FusedLinear& op, Inputs inputs, Outputs outputs, void* scratch) {
  product_apart(Linear(), op.activation(), inputs, outputs, scratch);
}

}  // namespace espalier
