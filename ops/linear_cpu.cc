#include <optional>

#include "ops/column_sums_internal.h"
#include "ops/gemm_internal.h"
#include "ops/linear.h"
#include "ops/narrow_types_internal.h"

namespace espalier {
namespace {

/// A tensor as the rows of a matrix, where it lies if its strides allow that, else copied to `work`.
template <class T>
struct Rows {
  const T* data;
  int64_t rows = 1, columns, row_stride, column_stride;

  Rows(const Tensor& given, Workspace& work)
      : data(static_cast<const T*>(given.raw_data())),
        columns(given.shape().back()),
        row_stride(columns),
        column_stride(given.strides().back()) {
    if (join_axes(given) && in_place(rows, columns, row_stride, column_stride)) return;
    data = row_major_as<T>(given, work);
    row_stride = columns;
    column_stride = 1;
  }

 private:
  /// All axes but the last as one; false where their strides do not allow it.
  bool join_axes(const Tensor& tensor) {
    bool joined = true;
    for (int i = tensor.rank() - 2; i >= 0; --i) {
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
GemmOf<T> product(const Rows<T>& a, bool transpose_a, const Rows<T>& b, bool transpose_b, const Tensor& c) {
  GemmOf<T> p;
  p.m = transpose_a ? a.columns : a.rows;
  p.k = transpose_a ? a.rows : a.columns;
  p.n = transpose_b ? b.rows : b.columns;
  p.a = a.data;
  p.a_row = transpose_a ? a.column_stride : a.row_stride;
  p.a_col = transpose_a ? a.row_stride : a.column_stride;
  p.b = b.data;
  p.b_row = transpose_b ? b.column_stride : b.row_stride;
  p.b_col = transpose_b ? b.row_stride : b.column_stride;
  p.c = static_cast<T*>(c.raw_data());
  p.c_row = p.n;
  return p;
}

/// A product with the memory that it needs.
template <class T>
struct LinearProduct {
  GemmOf<T> gemm;
  void* scratch;

  LinearProduct(const GemmOf<T>& gemm_, bool bias, Workspace& work)
      : gemm(gemm_), scratch(work.take<char>(static_cast<int64_t>(gemm_scratch_bytes(gemm_, bias)))) {}
  void run() const { espalier::gemm(gemm, scratch); }
};

template <class T>
class LinearWork {
 public:
  LinearWork(const Linear&, Inputs inputs, std::span<const Tensor> outputs, Workspace& work)
      : x_(inputs[0], work),
        weight_(inputs[1], work),
        product_(product(x_, false, weight_, true, outputs[0]), inputs[2].defined(), work) {
    product_.gemm.bias = row_major_as<T>(inputs[2], work);
  }

  void run() const { product_.run(); }

 private:
  Rows<T> x_, weight_;
  LinearProduct<T> product_;
};

/// The sums of the columns of dy.
template <class T>
class BiasGradient {
 public:
  BiasGradient(const Rows<T>& dy, const Tensor& given, const Tensor& sums, Workspace& work)
      : dy_(dy), sums_(static_cast<T*>(sums.raw_data())) {
    if (dy.column_stride == 1 || dy.columns == 1) return;
    dy_.data = row_major_as<T>(given, work);
    dy_.row_stride = dy.columns;
  }

  void run() const { column_sums(dy_.data, dy_.rows, dy_.columns, dy_.row_stride, sums_); }

 private:
  Rows<T> dy_;
  T* sums_;
};

/// Summed in f32, rounded once.
template <>
class BiasGradient<bfloat16> {
 public:
  BiasGradient(const Rows<bfloat16>&, const Tensor& given, const Tensor& sums, Workspace& work)
      : dy_(in_row_major_f32(given, work)),
        wide_(local_tensor(sums.shape(), Dtype::f32, work)),
        sums_(sums) {}

  void run() const {
    const int64_t columns = sums_.numel();
    column_sums(static_cast<const float*>(dy_->raw_data()), dy_->numel() / columns, columns, columns,
                static_cast<float*>(wide_->raw_data()));
    convert_floats(wide_, sums_);
  }

 private:
  LocalTensor dy_, wide_;
  const Tensor& sums_;
};

template <class T>
class LinearBackwardWork {
 public:
  LinearBackwardWork(const LinearBackward& op, Inputs inputs, std::span<const Tensor> outputs,
                     Workspace& work)
      : dy_(inputs[0], work) {
    size_t next = 0;
    if (op.wants(0))
      of_x_.emplace(product(dy_, false, Rows<T>(inputs[2], work), false, outputs[next++]), false, work);
    if (op.wants(1))
      of_weight_.emplace(product(dy_, true, Rows<T>(inputs[1], work), false, outputs[next++]), false, work);
    if (op.wants(2)) of_bias_.emplace(dy_, inputs[0], outputs[next], work);
  }

  void run() const {
    if (of_x_) of_x_->run();
    if (of_weight_) of_weight_->run();
    if (of_bias_) of_bias_->run();
  }

 private:
  Rows<T> dy_;
  std::optional<LinearProduct<T>> of_x_, of_weight_;
  std::optional<BiasGradient<T>> of_bias_;
};

}  // namespace

const char* linear_declines(const Linear&, Inputs inputs, std::span<const Tensor>) {
  return declines_all_but_floats(inputs[0].dtype());
}

size_t linear_scratch(const Linear& op, Inputs inputs, std::span<const Tensor> outputs) {
  return FloatKernel<LinearWork>::scratch(op, inputs, outputs);
}
void linear_cpu(const Linear& op, Inputs inputs, Outputs outputs, void* scratch) {
  FloatKernel<LinearWork>::run(op, inputs, outputs, scratch);
}

const char* linear_bf16_declines(const Linear&, Inputs inputs, std::span<const Tensor>) {
  return declines_bf16_products(inputs[0].dtype());
}
size_t linear_bf16_scratch(const Linear& op, Inputs inputs, std::span<const Tensor> outputs) {
  return scratch_of<LinearWork<bfloat16>>(op, inputs, outputs);
}
void linear_bf16(const Linear& op, Inputs inputs, Outputs outputs, void* scratch) {
  run_with<LinearWork<bfloat16>>(scratch, op, inputs, outputs);
}

const char* linear_backward_declines(const LinearBackward&, Inputs inputs, std::span<const Tensor>) {
  return declines_all_but_floats(inputs[0].dtype());
}
size_t linear_backward_scratch(const LinearBackward& op, Inputs inputs, std::span<const Tensor> outputs) {
  return FloatKernel<LinearBackwardWork>::scratch(op, inputs, outputs);
}
void linear_backward_cpu(const LinearBackward& op, Inputs inputs, Outputs outputs, void* scratch) {
  FloatKernel<LinearBackwardWork>::run(op, inputs, outputs, scratch);
}

const char* linear_backward_bf16_declines(const LinearBackward&, Inputs inputs, std::span<const Tensor>) {
  return declines_bf16_products(inputs[0].dtype());
}
size_t linear_backward_bf16_scratch(const LinearBackward& op, Inputs inputs,
                                    std::span<const Tensor> outputs) {
  return scratch_of<LinearBackwardWork<bfloat16>>(op, inputs, outputs);
}
void linear_backward_bf16(const LinearBackward& op, Inputs inputs, Outputs outputs, void* scratch) {
  run_with<LinearBackwardWork<bfloat16>>(scratch, op, inputs, outputs);
}

}  // namespace espalier
