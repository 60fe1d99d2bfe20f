#include <algorithm>
#include <array>

#include "ops/gemm_internal.h"
#include "ops/matmul.h"
#include "ops/narrow_types_internal.h"

namespace espalier {
namespace {

/// One leading axis of a batch: its size, and the steps of A, B and C along it.
struct BatchAxis {
  int64_t size;
  std::array<int64_t, 3> step;
};

/// An operand or the result with its two last axes apart from the leading ones.
struct Matrices {
  Tensor tensor;
  int64_t rows = 1, columns = 1, row_stride = 0, column_stride = 0;
  Shape leading;
  Strides leading_strides;

  /// A vector lacks the axis of rows (on the left) or of columns (on the right).
  Matrices(const Tensor& tensor_, bool has_rows, bool has_columns) : tensor(tensor_) {
    const Shape& shape = tensor.shape();
    const Strides& strides = tensor.strides();
    int axis = shape.rank();
    if (has_columns) {
      columns = shape[--axis];
      column_stride = strides[axis];
    }
    if (has_rows) {
      rows = shape[--axis];
      row_stride = strides[axis];
    }
    leading = Shape(std::span<const int64_t>(shape.begin(), static_cast<size_t>(axis)));
    leading_strides = Strides(std::span<const int64_t>(strides.begin(), static_cast<size_t>(axis)));
  }

  template <class T>
  T* data() const {
    return static_cast<T*>(tensor.raw_data());
  }
};

Matrices operand(const Tensor& tensor, bool has_rows, bool has_columns) {
  Matrices given(tensor, has_rows, has_columns);
  if (in_place(given.rows, given.columns, given.row_stride, given.column_stride)) return given;
  return {row_major(tensor), has_rows, has_columns};
}

/// A matmul as a batch of products: the axes that it runs over, outermost first, joined where all operands
/// allow it, and the sizes of one product.
struct Problem {
  Matrices a, b, c;
  std::array<BatchAxis, kMaxRank> axes;
  int rank = 0;

  Problem(const Tensor& a_, const Tensor& b_, const Tensor& c_)
      : a(operand(a_, a_.rank() > 1, true)),
        b(operand(b_, true, b_.rank() > 1)),
        c(c_, a_.rank() > 1, b_.rank() > 1) {
    // The result of a vector has no stride where its axis was taken out.
    if (b_.rank() == 1) c.column_stride = 1;
    const Shape& shape = c.leading;
    const Strides a_steps = broadcast_strides(a.leading, a.leading_strides, shape);
    const Strides b_steps = broadcast_strides(b.leading, b.leading_strides, shape);
    for (int i = 0; i < shape.rank(); ++i) {
      if (shape[i] != 1) add({shape[i], {a_steps[i], b_steps[i], c.leading_strides[i]}});
    }
    join_rows();
  }

  bool empty() const { return c.tensor.numel() == 0; }

  template <class T>
  GemmOf<T> first() const {
    GemmOf<T> p;
    p.m = a.rows;
    p.n = b.columns;
    p.k = a.columns;
    p.a = a.data<T>();
    p.a_row = a.row_stride;
    p.a_col = a.column_stride;
    p.b = b.data<T>();
    p.b_row = b.row_stride;
    p.b_col = b.column_stride;
    p.c = c.data<T>();
    p.c_row = b.columns;
    return p;
  }

 private:
  void add(const BatchAxis& axis) {
    if (rank > 0) {
      BatchAxis& outer = axes[static_cast<size_t>(rank - 1)];
      bool joins = true;
      for (size_t i = 0; i < 3; ++i) joins &= outer.step[i] == axis.size * axis.step[i];
      if (joins) {
        outer = {outer.size * axis.size, axis.step};
        return;
      }
    }
    axes[static_cast<size_t>(rank++)] = axis;
  }

  /// Where all products share B and the rows of A go on evenly, they are one product with more rows.
  void join_rows() {
    if (rank == 0) return;
    const BatchAxis& inner = axes[static_cast<size_t>(rank - 1)];
    if (inner.step[1] != 0 || a.rows == 0) return;
    if (a.rows == 1) {
      if (!in_place(inner.size, a.columns, inner.step[0], a.column_stride)) return;
      a.row_stride = inner.step[0];
    } else if (inner.step[0] != a.rows * a.row_stride ||
               !in_place(inner.size * a.rows, a.columns, a.row_stride, a.column_stride)) {
      return;
    }
    a.rows *= inner.size;
    --rank;
  }
};

/// Calls `body(index, offsets)` for each index of the axes but the innermost, with the offsets of A, B and C.
template <class Body>
void for_each_outer(const Problem& problem, Body&& body) {
  int64_t total = 1;
  for (int i = 0; i < problem.rank - 1; ++i) total *= problem.axes[static_cast<size_t>(i)].size;
  for (int64_t n = 0; n < total; ++n) {
    std::array<int64_t, 3> offset{};
    int64_t rest = n;
    for (int i = problem.rank - 2; i >= 0; --i) {
      const BatchAxis& axis = problem.axes[static_cast<size_t>(i)];
      for (size_t o = 0; o < 3; ++o) offset[o] += rest % axis.size * axis.step[o];
      rest /= axis.size;
    }
    body(offset);
  }
}

template <class T>
void multiply(Inputs inputs, Outputs outputs) {
  const Problem problem(inputs[0], inputs[1], outputs[0]);
  if (problem.empty()) return;
  const GemmOf<T> first = problem.first<T>();
  if (problem.rank == 0) return gemm(first);
  const BatchAxis& inner = problem.axes[static_cast<size_t>(problem.rank - 1)];
  for_each_outer(problem, [&](const std::array<int64_t, 3>& offset) {
    GemmOf<T> p = first;
    p.a += offset[0];
    p.b += offset[1];
    p.c += offset[2];
    batched_gemm(p, inner.size, inner.step[0], inner.step[1], inner.step[2]);
  });
}

/// One sum after the other. Unsigned, since overflow must wrap; the low bits do not depend on the sign.
template <class T>
void multiply_integers(Inputs inputs, Outputs outputs) {
  const Problem problem(inputs[0], inputs[1], outputs[0]);
  if (problem.empty()) return;
  const GemmOf<T> first = problem.first<T>();
  const BatchAxis one{1, {}};
  const BatchAxis& inner = problem.rank == 0 ? one : problem.axes[static_cast<size_t>(problem.rank - 1)];
  for_each_outer(problem, [&](const std::array<int64_t, 3>& offset) {
    for (int64_t batch = 0; batch < inner.size; ++batch) {
      const T* a = first.a + offset[0] + batch * inner.step[0];
      const T* b = first.b + offset[1] + batch * inner.step[1];
      T* c = first.c + offset[2] + batch * inner.step[2];
      for (int64_t i = 0; i < first.m; ++i) {
        for (int64_t j = 0; j < first.n; ++j) {
          uint64_t sum = 0;
          for (int64_t k = 0; k < first.k; ++k) {
            sum += static_cast<uint64_t>(a[i * first.a_row + k * first.a_col]) *
                   static_cast<uint64_t>(b[k * first.b_row + j * first.b_col]);
          }
          c[i * first.c_row + j] = static_cast<T>(sum);
        }
      }
    }
  });
}

}  // namespace

const char* matmul_declines(const MatMul&, Inputs inputs, std::span<const Tensor>) {
  return declines_all_but_floats(inputs[0].dtype());
}

void matmul_cpu(const MatMul&, Inputs inputs, Outputs outputs) {
  if (inputs[0].dtype() == Dtype::f64) return multiply<double>(inputs, outputs);
  run_in_f32(inputs, outputs, multiply<float>);
}

const char* matmul_bf16_declines(const MatMul&, Inputs inputs, std::span<const Tensor>) {
  return declines_bf16_products(inputs[0].dtype());
}

void matmul_bf16(const MatMul&, Inputs inputs, Outputs outputs) {
  multiply<bfloat16>(inputs, outputs);
}

const char* matmul_integers_declines(const MatMul&, Inputs inputs, std::span<const Tensor>) {
  const Dtype dtype = inputs[0].dtype();
  return is_integer(dtype) && dtype < Dtype::u16 ? nullptr : "only i8, u8, i16, i32, i64";
}

void matmul_integers(const MatMul&, Inputs inputs, Outputs outputs) {
  visit_dtype(inputs[0].dtype(), [&](auto tag) {
    using T = typename decltype(tag)::type;
    if constexpr (std::is_integral_v<T> && !std::is_same_v<T, bool>) multiply_integers<T>(inputs, outputs);
  });
}

}  // namespace espalier
