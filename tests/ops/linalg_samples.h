#pragma once

#include "tests/support/op_test.h"

namespace espalier::test {

// Matrices for the operations of linear algebra, and what those must give, by other methods than LAPACK's in
// double precision.

/// f32 and f64, and what becomes f32.
inline const std::vector<Dtype> kMatrixTypes = {Dtype::f64, Dtype::f32, Dtype::i8,  Dtype::u8,
                                                Dtype::i16, Dtype::i32, Dtype::i64, Dtype::boolean};

/// In epsilons: condition numbers of at most 8 times the roundings of sums of up to 5 products, a few in a
/// row.
inline constexpr double kMatrixTolerance = 128;

/// Elements of what the samples make their matrices of.
InputSpec matrix_spec(const Shape& shape);

/// x / 4 with 1.5, 2.75, 4, ... added to the diagonals: well conditioned, singular values and eigenvalues
/// apart.
Tensor shifted(const Tensor& x);
Array shifted(const Array& x);
/// The same of x + x^T.
Tensor shifted_symmetric(const Tensor& x);
Array shifted_symmetric(const Array& x);

/// Matrix `i` of a batch, and back.
Array matrix_at(const Array& batch, int64_t i);
Array joined(const std::vector<Array>& matrices, const Shape& batch);
/// Calls `f` with each matrix of `a` and joins what comes out, output by output.
Arrays for_each_matrix(const Array& a, const std::function<Arrays(const Array&)>& f);

Array product(const Array& a, const Array& b);
Array transposed(const Array& a);
/// Solves A X = B by elimination with complete pivoting; `determinant`, if any, gets det(A).
Array solve_by_elimination(Array a, Array b, double* determinant = nullptr);

/// A sample on one batch of matrices x: `run` gets `shape_up(x)`, the reference each matrix of that.
OpSample matrix_sample(std::string label, const Shape& shape, bool symmetric,
                       const std::function<Tensors(const Tensor&)>& run,
                       const std::function<Arrays(const Array&)>& reference);

/// A benchmark on uniform random numbers.
OpSample matrix_benchmark(std::string label, const Shape& shape,
                          const std::function<Tensors(const Tensor&)>& run);

}  // namespace espalier::test
