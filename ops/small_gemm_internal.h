#pragma once

#include <cstdint>

namespace espalier {

/// One product of matrices of f32 or f64: C[m,n] = A[m,k] B[k,n], then plus what C held (`accumulate`), plus
/// a bias per column, then max(0, x). Element (i, j) of A is a[i * a_row + j * a_col] (strides in elements),
/// of B likewise; C's columns are contiguous. A, B and the bias may overlap each other but not C. k = 0 is a
/// sum of nothing.
template <class T>
struct GemmOf {
  int64_t m = 0, n = 0, k = 0;
  const T* a = nullptr;
  int64_t a_row = 0, a_col = 0;
  const T* b = nullptr;
  int64_t b_row = 0, b_col = 0;
  T* c = nullptr;
  int64_t c_row = 0;
  const T* bias = nullptr;  ///< n values, or null
  bool accumulate = false;
  bool relu = false;
  bool b_padded = false;  ///< small_gemm: values may be read behind the rows of B, up to a multiple of 16
};
using Gemm = GemmOf<float>;

/// The largest k that small_gemm takes: a packed panel of B (k rows of two vectors, 64 KiB at most) lives on
/// the stack.
inline constexpr int64_t kSmallGemmMaxDepth = 512;

/// Whether small_gemm is the faster way (see the measurements at its definition).
bool small_gemm_wins(const Gemm& p);

/// Computes it on the calling thread, with any strides; takes no memory. Requires k <= kSmallGemmMaxDepth.
void small_gemm(const Gemm& p);
void small_gemm(const GemmOf<double>& p);

}  // namespace espalier
