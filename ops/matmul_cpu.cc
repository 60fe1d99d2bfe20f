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
  void* data;
  int64_t rows = 1, columns = 1, row_stride = 0, column_stride = 0;
  Shape leading;
  Strides leading_strides;

  /// A vector lacks the axis of rows (on the left) or of columns (on the right).
  Matrices(void* data_, const Shape& shape, const Strides& strides, bool has_rows, bool has_columns)
      : data(data_) {
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
  Matrices(const Tensor& tensor, bool has_rows, bool has_columns)
      : Matrices(tensor.raw_data(), tensor.shape(), tensor.strides(), has_rows, has_columns) {}
};

/// An input: copied to `work` where it cannot be multiplied as it lies.
Matrices operand(const Tensor& tensor, bool has_rows, bool has_columns, Workspace& work) {
  Matrices given(tensor, has_rows, has_columns);
  if (in_place(given.rows, given.columns, given.row_stride, given.column_stride)) return given;
  void* const copied = const_cast<void*>(row_major(tensor, work));
  return {copied, tensor.shape(), contiguous_strides(tensor.shape()), has_rows, has_columns};
}

/// A matmul as a batch of products: the axes that it runs over, outermost first, joined where all operands
/// allow it, and the sizes of one product.
struct Problem {
  Matrices a, b, c;
  std::array<BatchAxis, kMaxRank> axes;
  int rank = 0;
  bool empty;

  Problem(const Tensor& a_, const Tensor& b_, const Tensor& c_, Workspace& work)
      : a(operand(a_, a_.rank() > 1, true, work)),
        b(operand(b_, true, b_.rank() > 1, work)),
        c(c_, a_.rank() > 1, b_.rank() > 1),
        empty(c_.numel() == 0) {
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

  template <class T>
  GemmOf<T> first() const {
    GemmOf<T> p;
    p.m = a.rows;
    p.n = b.columns;
    p.k = a.columns;
    p.a = static_cast<T*>(a.data);
    p.a_row = a.row_stride;
    p.a_col = a.column_stride;
    p.b = static_cast<T*>(b.data);
    p.b_row = b.row_stride;
    p.b_col = b.column_stride;
    p.c = static_cast<T*>(c.data);
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

/// One product, or a batch of products along the innermost axis for each index of the others.
template <class T>
class MatMulWork {
 public:
  MatMulWork(const MatMul&, Inputs inputs, std::span<const Tensor> outputs, Workspace& work)
      : problem_(inputs[0], inputs[1], outputs[0], work), first_(problem_.first<T>()) {
    if (problem_.empty) return;
    const size_t bytes = problem_.rank == 0 ? gemm_scratch_bytes(first_, false)
                                            : batched_gemm_scratch_bytes(first_, inner().size);
    scratch_ = work.take<char>(static_cast<int64_t>(bytes));
  }

  void run() const {
    if (problem_.empty) return;
    if (problem_.rank == 0) return gemm(first_, scratch_);
    for_each_outer(problem_, [&](const std::array<int64_t, 3>& offset) {
      GemmOf<T> p = first_;
      p.a += offset[0];
      p.b += offset[1];
      p.c += offset[2];
      batched_gemm(p, inner().size, inner().step, scratch_);
    });
  }

 private:
  const BatchAxis& inner() const { return problem_.axes[static_cast<size_t>(problem_.rank - 1)]; }

  Problem problem_;
  GemmOf<T> first_;
  void* scratch_ = nullptr;
};

/// One sum after the other. Unsigned, since overflow must wrap; the low bits do not depend on the sign.
template <class T>
class IntegerMatMulWork {
 public:
  IntegerMatMulWork(const MatMul&, Inputs inputs, std::span<const Tensor> outputs, Workspace& work)
      : problem_(inputs[0], inputs[1], outputs[0], work) {}

  void run() const {
    if (problem_.empty) return;
    const GemmOf<T> first = problem_.first<T>();
    const BatchAxis one{1, {}};
    const BatchAxis& inner = problem_.rank == 0 ? one : problem_.axes[static_cast<size_t>(problem_.rank - 1)];
    for_each_outer(problem_, [&](const std::array<int64_t, 3>& offset) {
      for (int64_t batch = 0; batch < inner.size; ++batch) {
        multiply(first, first.a + offset[0] + batch * inner.step[0],
                 first.b + offset[1] + batch * inner.step[1], first.c + offset[2] + batch * inner.step[2]);
      }
    });
  }

 private:
  static void multiply(const GemmOf<T>& sizes, const T* a, const T* b, T* c) {
    for (int64_t i = 0; i < sizes.m; ++i) {
      for (int64_t j = 0; j < sizes.n; ++j) {
        uint64_t sum = 0;
        for (int64_t k = 0; k < sizes.k; ++k) {
          sum += static_cast<uint64_t>(a[i * sizes.a_row + k * sizes.a_col]) *
                 static_cast<uint64_t>(b[k * sizes.b_row + j * sizes.b_col]);
        }
        c[i * sizes.c_row + j] = static_cast<T>(sum);
      }
    }
  }

  Problem problem_;
};

/// Whether all products are seen to be small_gemm's, which takes no memory: sooner than by taking the problem
/// apart, which is what takes time where there are few numbers.
bool is_small(Inputs inputs, std::span<const Tensor> outputs) {
  const Tensor &a = inputs[0], &b = inputs[1];
  if (a.dtype() != Dtype::f32 || a.rank() < 2 || b.rank() < 2 || !a.is_contiguous() || !b.is_contiguous())
    return false;
  Gemm all;  // with the rows of all products, of which there may be one
  all.n = b.shape().back();
  all.k = a.shape().back();
  all.m = outputs[0].numel() / std::max<int64_t>(all.n, 1);
  all.b_col = 1;
  return small_gemm_wins(all);
}

/// Calls `use` with the tag of an integer type.
template <class Use>
void visit_integers(Dtype dtype, const Use& use) {
  visit_dtype(dtype, [&](auto tag) {
    using T = typename decltype(tag)::type;
    if constexpr (std::is_integral_v<T> && !std::is_same_v<T, bool>) use(tag);
  });
}

}  // namespace

const char* matmul_declines(const MatMul&, Inputs inputs, std::span<const Tensor>) {
  return declines_all_but_floats(inputs[0].dtype());
}

size_t matmul_scratch(const MatMul& op, Inputs inputs, std::span<const Tensor> outputs) {
  return is_small(inputs, outputs) ? 0 : FloatKernel<MatMulWork>::scratch(op, inputs, outputs);
}
void matmul_cpu(const MatMul& op, Inputs inputs, Outputs outputs, void* scratch) {
  FloatKernel<MatMulWork>::run(op, inputs, outputs, scratch);
}

const char* matmul_bf16_declines(const MatMul&, Inputs inputs, std::span<const Tensor>) {
  return declines_bf16_products(inputs[0].dtype());
}
size_t matmul_bf16_scratch(const MatMul& op, Inputs inputs, std::span<const Tensor> outputs) {
  return scratch_of<MatMulWork<bfloat16>>(op, inputs, outputs);
}
void matmul_bf16(const MatMul& op, Inputs inputs, Outputs outputs, void* scratch) {
  run_with<MatMulWork<bfloat16>>(scratch, op, inputs, outputs);
}

const char* matmul_integers_declines(const MatMul&, Inputs inputs, std::span<const Tensor>) {
  const Dtype dtype = inputs[0].dtype();
  return is_integer(dtype) && dtype < Dtype::u16 ? nullptr : "only i8, u8, i16, i32, i64";
}
size_t matmul_integers_scratch(const MatMul& op, Inputs inputs, std::span<const Tensor> outputs) {
  size_t bytes = 0;
  visit_integers(inputs[0].dtype(), [&](auto tag) {
    bytes = scratch_of<IntegerMatMulWork<typename decltype(tag)::type>>(op, inputs, outputs);
  });
  return bytes;
}
void matmul_integers(const MatMul& op, Inputs inputs, Outputs outputs, void* scratch) {
  visit_integers(inputs[0].dtype(), [&](auto tag) {
    run_with<IntegerMatMulWork<typename decltype(tag)::type>>(scratch, op, inputs, outputs);
  });
}

}  // namespace espalier
