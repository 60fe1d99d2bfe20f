#pragma once

#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/operation.h"
#include "core/parallel.h"

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

/// Calls `body(matrix)` for each matrix of a batch, on several threads where that pays; `work` is about what
/// one costs, in multiply-adds. What it returns, unless 0, says what is wrong with that matrix; the first
/// such one (whatever the threads' order) is returned, with its number.
template <class Body>
std::pair<int64_t, int> for_each_matrix(int64_t batch, double work, Body&& body) {
  std::vector<int> wrong(static_cast<size_t>(batch), 0);
  const auto grain = static_cast<int64_t>(static_cast<double>(kSerialWork) / (work + 1)) + 1;
  parallel_for(0, batch, grain, [&](int64_t first, int64_t last) {
    const NoThreadsBelow no_threads_below;
    for (int64_t i = first; i < last; ++i) wrong[static_cast<size_t>(i)] = body(i);
  });
  for (int64_t i = 0; i < batch; ++i) {
    if (wrong[static_cast<size_t>(i)] != 0) return {i, wrong[static_cast<size_t>(i)]};
  }
  return {0, 0};
}

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
