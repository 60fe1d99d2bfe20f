// A matrix that stays the same times one vector after the other: the layers of a network that answers one
// question at a time. Each weight is used once, so speed is that of reading them: packed, they are read front
// to back, sixteen rows at a time, without a sum across lanes at the end of each row.

#include <algorithm>

#include "core/parallel.h"
#include "ops/matrix_vector_internal.h"

// clang-format off: the order of these includes matters
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "ops/matrix_vector.cc"
#include "core/highway_internal.h"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"
// clang-format on

HWY_BEFORE_NAMESPACE();
namespace espalier::HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;

constexpr int64_t kBlock = 16;  // rows; the same on all targets, so that one packing fits all

/// `kBlocks` blocks from `block` on. Even and odd columns have sums of their own, so that enough
/// multiply-adds are under way at once.
template <int64_t kBlocks>
HWY_INLINE void run_blocks(const MatrixVector& p, int64_t block) {
  const hn::CappedTag<float, kBlock> d;
  using V = hn::Vec<decltype(d)>;
  constexpr auto kLanes = static_cast<int64_t>(hn::MaxLanes(hn::CappedTag<float, kBlock>()));
  constexpr int64_t kVectors = kBlock / kLanes;
  V even[kBlocks * kVectors], odd[kBlocks * kVectors];
  for (int64_t i = 0; i < kBlocks * kVectors; ++i) even[i] = odd[i] = hn::Zero(d);
  const int64_t block_size = p.columns * kBlock;
  const float* const first = p.packed + block * block_size;
  const auto add = [&](V* sums, int64_t column) HWY_ATTR {
    const V x = hn::Set(d, p.x[column]);
    for (int64_t b = 0; b < kBlocks; ++b) {
      const float* const weights = first + b * block_size + column * kBlock;
      for (int64_t v = 0; v < kVectors; ++v) {
        V& sum = sums[b * kVectors + v];
        sum = hn::MulAdd(hn::Load(d, weights + v * kLanes), x, sum);
      }
    }
  };
  int64_t column = 0;
  for (; column + 1 < p.columns; column += 2) {
    add(even, column);
    add(odd, column + 1);
  }
  if (column < p.columns) add(even, column);
  HWY_ALIGN float sums[kBlocks * kBlock];
  for (int64_t i = 0; i < kBlocks * kVectors; ++i) hn::Store(hn::Add(even[i], odd[i]), d, sums + i * kLanes);
  const int64_t row = block * kBlock, rows = std::min(kBlocks * kBlock, p.rows - row);
  for (int64_t i = 0; i < rows; ++i) {
    float sum = sums[i];
    if (p.bias) sum += p.bias[row + i];
    if (p.accumulate) sum += p.y[row + i];
    // Written so that NaN stays NaN, as relu() has it.
    p.y[row + i] = p.relu && sum < 0 ? 0 : sum;
  }
}

void run_range(const MatrixVector& p, int64_t begin, int64_t end) {
  // 32 registers hold the sums of four blocks of one vector each, 16 those of two blocks of two or one of
  // four.
  constexpr int64_t kMost = HWY_MAX_BYTES >= 64 ? 4 : HWY_MAX_BYTES >= 32 ? 2 : 1;
  int64_t block = begin;
  for (; block + kMost <= end; block += kMost) run_blocks<kMost>(p, block);
  for (; block < end; ++block) run_blocks<1>(p, block);
}

}  // namespace

void matrix_vector_blocks(const MatrixVector& p, int64_t begin, int64_t end) {
  run_range(p, begin, end);
}

}  // namespace espalier::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace espalier {

HWY_EXPORT(matrix_vector_blocks);

namespace {

constexpr int64_t kBlockRows = 16;

int64_t block_count(int64_t rows) {
  return (rows + kBlockRows - 1) / kBlockRows;
}

}  // namespace

size_t packed_matrix_size(int64_t rows, int64_t columns) {
  return static_cast<size_t>(block_count(rows) * kBlockRows * columns);
}

void pack_matrix(const float* matrix, int64_t rows, int64_t columns, float* packed) {
  for (int64_t block = 0; block < block_count(rows); ++block) {
    for (int64_t column = 0; column < columns; ++column) {
      for (int64_t i = 0; i < kBlockRows; ++i) {
        const int64_t row = block * kBlockRows + i;
        *packed++ = row < rows ? matrix[row * columns + column] : 0;
      }
    }
  }
}

void matrix_vector(const MatrixVector& problem) {
  // A second thread pays from some 128 KiB of weights each on; less is read before it is awake.
  constexpr int64_t kLeastWeights = 32 * 1024;
  const int64_t block_weights = std::max<int64_t>(problem.columns * kBlockRows, 1);
  parallel_for(
      0, block_count(problem.rows), std::max<int64_t>(kLeastWeights / block_weights, 1),
      [&](int64_t begin, int64_t end) { ESPALIER_DISPATCH(matrix_vector_blocks)(problem, begin, end); });
}

}  // namespace espalier
#endif
