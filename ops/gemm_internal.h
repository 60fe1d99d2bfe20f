#pragma once

#include <algorithm>
#include <array>

#include "core/dtype.h"
#include "ops/onednn_internal.h"
#include "ops/small_gemm_internal.h"

namespace espalier {

// Matrix products in f64, f32 and, where onednn::has_bf16(), bf16, on all threads where that pays. What
// GemmOf asks of strides holds, and in_place() for A and B.

/// The reason to decline, or null, of kernels that multiply bf16 matrices where they lie.
inline const char* declines_bf16_products(Dtype dtype) {
  if (dtype != Dtype::bf16) return "only bf16";
  return onednn::has_bf16() ? nullptr : "the CPU has no instructions for bf16, or ESPALIER_CPU hides them";
}

/// Whether a matrix can be an operand where it lies: one stride is 1 and the other steps over a whole row
/// (column).
bool in_place(int64_t rows, int64_t columns, int64_t row_stride, int64_t column_stride);

/// On the calling thread, with any strides and any depth: small_gemm on pieces of k. For tiles of larger
/// kernels.
template <class T>
void serial_gemm(const GemmOf<T>& p) {
  GemmOf<T> piece = p;
  piece.k = std::min(p.k, kSmallGemmMaxDepth);
  piece.relu = p.relu && piece.k == p.k;
  small_gemm(piece);
  piece.accumulate = true;
  piece.bias = nullptr;
  for (int64_t k = piece.k; k < p.k; k += kSmallGemmMaxDepth) {
    piece.k = std::min(p.k - k, kSmallGemmMaxDepth);
    piece.a = p.a + k * p.a_col;
    piece.b = p.b + k * p.b_row;
    piece.relu = p.relu && k + piece.k == p.k;
    small_gemm(piece);
  }
}

/// `scratch` has gemm_scratch_bytes().
inline void gemm(const Gemm& p, void* scratch) {
  onednn::gemm(p, scratch);
}
inline void gemm(const GemmOf<bfloat16>& p, void* scratch) {
  onednn::gemm(p, scratch);
}
void gemm(const GemmOf<double>& p, void* scratch);

/// For a product of p's sizes and strides, wherever its operands will lie; `bias` says whether it has one.
inline size_t gemm_scratch_bytes(const Gemm& p, bool bias) {
  return onednn::gemm_scratch_bytes(p, bias);
}
inline size_t gemm_scratch_bytes(const GemmOf<bfloat16>& p, bool bias) {
  return onednn::gemm_scratch_bytes(p, bias);
}
inline size_t gemm_scratch_bytes(const GemmOf<double>&, bool) {
  return 0;
}

/// `batch` products whose operands A, B and C lie the given numbers of elements apart (0: shared; C's must
/// not overlap). `scratch` has batched_gemm_scratch_bytes().
inline void batched_gemm(const Gemm& first, int64_t batch, const std::array<int64_t, 3>& steps,
                         void* scratch) {
  onednn::batched_gemm(first, batch, steps, scratch);
}
inline void batched_gemm(const GemmOf<bfloat16>& first, int64_t batch, const std::array<int64_t, 3>& steps,
                         void* scratch) {
  onednn::batched_gemm(first, batch, steps, scratch);
}
void batched_gemm(const GemmOf<double>& first, int64_t batch, const std::array<int64_t, 3>& steps,
                  void* scratch);

inline size_t batched_gemm_scratch_bytes(const Gemm& first, int64_t batch) {
  return onednn::batched_gemm_scratch_bytes(first, batch);
}
inline size_t batched_gemm_scratch_bytes(const GemmOf<bfloat16>& first, int64_t batch) {
  return onednn::batched_gemm_scratch_bytes(first, batch);
}
inline size_t batched_gemm_scratch_bytes(const GemmOf<double>&, int64_t) {
  return 0;
}

}  // namespace espalier
