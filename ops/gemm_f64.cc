// Products of f64 matrices: small_gemm on blocks. oneDNN has none; f64 is for checking gradients and for
// statistics, so this is simple rather than the last word in speed.

#include <algorithm>

#include "core/parallel.h"
#include "ops/gemm_internal.h"

namespace espalier {
namespace {

// Rows of C that share a pass over B: a multiple of the tile's 6 or 8; 48 x kSmallGemmMaxDepth doubles of A
// are 192 KiB and stay in the second-level cache.
constexpr int64_t kBlockRows = 48;
// Columns that share a pass over A, a multiple of all tiles' widths.
constexpr int64_t kBlockColumns = 64;
// A multiply-add in a tile takes about a tenth of the simple operation that kSerialWork counts in (30 GFLOP/s
// a core).
constexpr int64_t kSpeed = 8;

int64_t grain(const GemmOf<double>& p) {
  const int64_t work =
      std::max<int64_t>(p.m, 1) * std::max<int64_t>(p.n, 1) / kSpeed * std::max<int64_t>(p.k, 1);
  return std::max<int64_t>(1, kSerialWork / std::max<int64_t>(work, 1));
}

}  // namespace

bool in_place(int64_t rows, int64_t columns, int64_t row_stride, int64_t column_stride) {
  const bool by_rows = (column_stride == 1 || columns == 1) && (row_stride >= columns || rows == 1);
  const bool by_columns = (row_stride == 1 || rows == 1) && (column_stride >= rows || columns == 1);
  return by_rows || by_columns;
}

void gemm(const GemmOf<double>& p, void*) {
  // Every element of C is summed in the same order however the blocks are dealt out.
  const bool by_rows = p.m >= p.n;
  const int64_t extent = by_rows ? p.m : p.n, step = by_rows ? kBlockRows : kBlockColumns;
  GemmOf<double> block = p;
  (by_rows ? block.m : block.n) = std::min(extent, step);
  parallel_for(0, (extent + step - 1) / step, grain(block), [&](int64_t first, int64_t last) {
    for (int64_t i = first; i < last; ++i) {
      GemmOf<double> part = p;
      const int64_t begin = i * step, size = std::min(step, extent - begin);
      if (by_rows) {
        part.m = size;
        part.a += begin * p.a_row;
        part.c += begin * p.c_row;
      } else {
        part.n = size;
        part.b += begin * p.b_col;
        part.c += begin;
        if (p.bias) part.bias += begin;
      }
      serial_gemm(part);
    }
  });
}

void batched_gemm(const GemmOf<double>& first, int64_t batch, const std::array<int64_t, 3>& steps,
                  void* scratch) {
  parallel_for(0, batch, grain(first), [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      GemmOf<double> p = first;
      p.a += i * steps[0];
      p.b += i * steps[1];
      p.c += i * steps[2];
      gemm(p, scratch);
    }
  });
}

}  // namespace espalier
