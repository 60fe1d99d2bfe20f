#pragma once

#include <algorithm>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/operation.h"
#include "ops/parts_internal.h"
#include "ops/scratch_internal.h"

namespace espalier {

// What the operations of linear algebra share. Matrices are the last two axes, all axes before them a batch.

/// Throws ShapeError unless `inputs[i]` is a matrix or a batch of them, with sizes that LAPACK can count
/// (below 2^31); TypeError unless it is f32 or f64.
void check_matrices(std::string_view name, Inputs inputs, size_t i);
/// The same, and ShapeError unless the matrices are square.
void check_square(std::string_view name, Inputs inputs, size_t i);
/// Checks a square matrix and a right-hand side, of one type and with the same leading axes.
void check_system(std::string_view name, Inputs inputs);

/// The axes before the matrix, and the number of matrices.
Shape batch_shape(const Shape& shape);
int64_t batch_size(const Shape& shape);
/// `shape` with the last two axes replaced by `rows` and `columns`, or the last axis left out.
Shape with_matrix(const Shape& shape, int64_t rows, int64_t columns);
Shape with_vector(const Shape& shape, int64_t size);

/// Every axis of the batch shrinks in all inputs and outputs together.
std::vector<AxisTie> batch_ties(Inputs inputs, int outputs);

/// The two operands of a linear system as its operation takes them: of one floating type, `b` a batch of
/// matrices with the same leading axes as `a`. One matrix for a whole batch of right-hand sides gets them as
/// the columns of one, so that it is factorised once.
class System {
 public:
  System(std::string_view name, const Tensor& a, const Tensor& b);
  const Tensor& a() const noexcept { return a_; }
  const Tensor& b() const noexcept { return b_; }
  /// The solution in the shape that belongs to the operands.
  Tensor solution(const Tensor& x) const;

 private:
  Tensor a_, b_;
  Shape joined_;  ///< where a batch became columns: its shape with the rows first
  bool vector_ = false;
};

/// The n x n matrix with `below`, `diagonal` and `above` in these places, of the type and on the device of
/// `like`.
Tensor triangles(int64_t n, double below, double diagonal, double above, const Tensor& like);

/// The sum of two gradients either of which may be absent.
Tensor sum_of(const Tensor& a, const Tensor& b);

/// Throws ValueError for matrix `matrix` of the batch of `inputs[0]`: `[name] inputs f32[4, 3, 3]: matrix [2]
/// of the batch <what>`.
[[noreturn]] void throw_for_matrix(std::string_view name, Inputs inputs, int64_t matrix,
                                   const std::string& what);

/// Calls `f` with a float or a double, the type of a checked tensor.
template <class F>
void visit_matrix_type(Dtype dtype, F&& f) {
  if (dtype == Dtype::f64)
    f(double{});
  else
    f(float{});
}

/// While it lives, OpenBLAS starts no threads for the calling thread: it asks OpenMP how many there are, a
/// number that each thread has for itself.
class NoThreadsBelow {
 public:
  NoThreadsBelow();
  ~NoThreadsBelow();
  NoThreadsBelow(const NoThreadsBelow&) = delete;
  NoThreadsBelow& operator=(const NoThreadsBelow&) = delete;

 private:
  const int previous_;
};

/// What is wrong with a matrix of a batch; nothing where `what` is 0.
struct WrongMatrix {
  int64_t matrix = 0;
  int what = 0;
};

/// The matrices of a batch, each of which is worked on in memory that a `Room` lays out as scratch_of()
/// describes it.
class MatrixBatch {
 public:
  /// `work` is about what one costs, in multiply-adds; `bytes` what it needs for itself.
  MatrixBatch(int64_t size, double work, size_t bytes, Workspace& memory)
      : parts_(size, static_cast<int64_t>(static_cast<double>(kSerialWork) / (work + 1)) + 1),
        bytes_(Parts::apart<char>(static_cast<int64_t>(bytes))),
        memory_(memory.take<char>(parts_.count() * bytes_)) {}

  /// Calls `body(matrix, workspace)` for each, on several threads where that pays. What it returns, unless 0,
  /// says what is wrong with that matrix; the first such one, whatever the threads' order, is returned.
  template <class Body>
  WrongMatrix run(const Body& body) const {
    WrongMatrix first;
    std::mutex mutex;
    parts_.run([&](int64_t part, int64_t begin, int64_t end) {
      const NoThreadsBelow no_threads_below;
      for (int64_t i = begin; i < end; ++i) {
        Workspace own(memory_ + part * bytes_);
        const int what = body(i, own);
        if (what == 0) continue;
        const std::lock_guard lock(mutex);
        if (first.what == 0 || i < first.matrix) first = {i, what};
      }
    });
    return first;
  }

 private:
  Parts parts_;
  int64_t bytes_;
  char* memory_;
};

/// The kernel of a `Work<T>` as scratch_of() describes it, T being the matrices' type.
template <template <class> class Work>
struct MatrixKernel {
  template <class Op>
  static size_t scratch(const Op& op, Inputs inputs, std::span<const Tensor> outputs) {
    return inputs[0].dtype() == Dtype::f64 ? scratch_of<Work<double>>(op, inputs, outputs)
                                           : scratch_of<Work<float>>(op, inputs, outputs);
  }
  template <class Op>
  static void run(const Op& op, Inputs inputs, Outputs outputs, void* scratch) {
    const std::span<const Tensor> results = outputs;
    if (inputs[0].dtype() == Dtype::f64)
      run_with<Work<double>>(scratch, op, inputs, results);
    else
      run_with<Work<float>>(scratch, op, inputs, results);
  }
};

/// Writes the transpose of a row-major matrix, in squares that fit into the first-level cache.
template <class T>
void transpose_into(T* to, const T* from, int64_t rows, int64_t columns) {
  constexpr int64_t kSquare = 32;  // two squares of 32 x 32 doubles are half of a cache of 32 KiB
  for (int64_t r = 0; r < rows; r += kSquare) {
    for (int64_t c = 0; c < columns; c += kSquare) {
      for (int64_t i = r; i < std::min(r + kSquare, rows); ++i) {
        for (int64_t j = c; j < std::min(c + kSquare, columns); ++j) to[j * rows + i] = from[i * columns + j];
      }
    }
  }
}

}  // namespace espalier
