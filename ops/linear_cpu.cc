#include <type_traits>

#include "ops/column_sums_internal.h"
#include "ops/gemm_internal.h"
#include "ops/linear.h"
#include "ops/narrow_types_internal.h"

namespace espalier {
namespace {

/// A tensor as the rows of a matrix, where it lies if its strides allow that, else copied.
struct Rows {
  Tensor tensor;  // keeps a copy alive
  int64_t rows = 1, columns, row_stride, column_stride;

  explicit Rows(const Tensor& given) : tensor(given), columns(given.shape().back()) {
    if (join_axes() && in_place(rows, columns, row_stride, column_stride)) return;
    tensor = row_major(given);
    join_axes();
  }

  template <class T>
  T* data() const {
    return static_cast<T*>(tensor.raw_data());
  }

 private:
  /// All axes but the last as one; false where their strides do not allow it.
  bool join_axes() {
    const int last = tensor.rank() - 1;
    column_stride = tensor.strides()[last];
    rows = 1;
    row_stride = columns;
    bool joined = true;
    for (int i = last - 1; i >= 0; --i) {
      const int64_t size = tensor.shape()[i], stride = tensor.strides()[i];
      if (size == 1) continue;
      if (rows == 1)
        row_stride = stride;
      else
        joined &= stride == rows * row_stride;
      rows *= size;
    }
    return joined;
  }
};

/// C = A B, A and B being matrices or, where told so, their transposes.
template <class T>
GemmOf<T> product(const Rows& a, bool transpose_a, const Rows& b, bool transpose_b, const Tensor& c) {
  GemmOf<T> p;
  p.m = transpose_a ? a.columns : a.rows;
  p.k = transpose_a ? a.rows : a.columns;
  p.n = transpose_b ? b.rows : b.columns;
  p.a = a.data<T>();
  p.a_row = transpose_a ? a.column_stride : a.row_stride;
  p.a_col = transpose_a ? a.row_stride : a.column_stride;
  p.b = b.data<T>();
  p.b_row = transpose_b ? b.column_stride : b.row_stride;
  p.b_col = transpose_b ? b.row_stride : b.column_stride;
  p.c = static_cast<T*>(c.raw_data());
  p.c_row = p.n;
  return p;
}

template <class T>
void forward(Inputs inputs, Outputs outputs) {
  const Rows x(inputs[0]), weight(inputs[1]);
  GemmOf<T> p = product<T>(x, false, weight, true, outputs[0]);
  Tensor bias = inputs[2];
  if (bias.defined()) {
    bias = row_major(bias);
    p.bias = static_cast<const T*>(bias.raw_data());
  }
  gemm(p);
}

/// The sums of the columns of `dy`, which are `rows` where those have unit steps.
template <class T>
void sum_rows(const Rows& rows, const Tensor& dy, const Tensor& sums) {
  if constexpr (std::is_same_v<T, bfloat16>) {  // summed in f32, rounded once
    const Tensor wide = empty(sums.shape());
    sum_rows<float>(Rows(row_major_f32(dy)), dy, wide);
    store_f32(wide, sums);
  } else {
    const Rows summed(rows.column_stride == 1 || rows.columns == 1 ? rows : Rows(row_major(dy)));
    column_sums(summed.data<T>(), summed.rows, summed.columns, summed.row_stride,
                static_cast<T*>(sums.raw_data()));
  }
}

template <class T>
void backward(const LinearBackward& op, Inputs inputs, Outputs outputs) {
  const Rows dy(inputs[0]);
  size_t next = 0;
  if (op.wants(0)) gemm(product<T>(dy, false, Rows(inputs[2]), false, outputs[next++]));
  if (op.wants(1)) gemm(product<T>(dy, true, Rows(inputs[1]), false, outputs[next++]));
  if (op.wants(2)) sum_rows<T>(dy, inputs[0], outputs[next]);
}

}  // namespace

const char* linear_declines(const Linear&, Inputs inputs, std::span<const Tensor>) {
  return declines_all_but_floats(inputs[0].dtype());
}

void linear_cpu(const Linear&, Inputs inputs, Outputs outputs) {
  if (inputs[0].dtype() == Dtype::f64) return forward<double>(inputs, outputs);
  run_in_f32(inputs, outputs, forward<float>);
}

const char* linear_bf16_declines(const Linear&, Inputs inputs, std::span<const Tensor>) {
  return declines_bf16_products(inputs[0].dtype());
}

void linear_bf16(const Linear&, Inputs inputs, Outputs outputs) {
  forward<bfloat16>(inputs, outputs);
}

const char* linear_backward_bf16_declines(const LinearBackward&, Inputs inputs, std::span<const Tensor>) {
  return declines_bf16_products(inputs[0].dtype());
}

void linear_backward_bf16(const LinearBackward& op, Inputs inputs, Outputs outputs) {
  backward<bfloat16>(op, inputs, outputs);
}

const char* linear_backward_declines(const LinearBackward&, Inputs inputs, std::span<const Tensor>) {
  return declines_all_but_floats(inputs[0].dtype());
}

void linear_backward_cpu(const LinearBackward& op, Inputs inputs, Outputs outputs) {
  if (inputs[0].dtype() == Dtype::f64) return backward<double>(op, inputs, outputs);
  run_in_f32(inputs, outputs, [&](Inputs in, Outputs out) { backward<float>(op, in, out); });
}

}  // namespace espalier
