#include <algorithm>

#include "core/parallel.h"
#include "ops/column_sums_internal.h"

// clang-format off
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "ops/column_sums.cc"
#include "core/highway_internal.h"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"
// clang-format on

HWY_BEFORE_NAMESPACE();
namespace espalier::HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;

// A run of rows is summed by itself, so that an element goes through at most kRun + rows / kRun roundings.
constexpr int64_t kRun = 128;
// Vectors of columns at a time: enough independent sums to hide the latency of an addition.
constexpr int kVectors = 4;

/// The sums of `kWide` vectors of columns.
template <int kWide, class T>
HWY_ATTR void wide_sums(const T* x, int64_t rows, int64_t row_stride, T* sums) {
  const hn::ScalableTag<T> d;
  const size_t lanes = hn::Lanes(d);
  using V = hn::Vec<hn::ScalableTag<T>>;
  V total[kWide];
  for (int v = 0; v < kWide; ++v) total[v] = hn::Zero(d);
  for (int64_t first = 0; first < rows; first += kRun) {
    V run[kWide];
    for (int v = 0; v < kWide; ++v) run[v] = hn::Zero(d);
    const int64_t last = std::min(rows, first + kRun);
    for (int64_t i = first; i < last; ++i) {
      const T* row = x + i * row_stride;
      for (int v = 0; v < kWide; ++v)
        run[v] = hn::Add(run[v], hn::LoadU(d, row + static_cast<size_t>(v) * lanes));
    }
    for (int v = 0; v < kWide; ++v) total[v] = hn::Add(total[v], run[v]);
  }
  for (int v = 0; v < kWide; ++v) hn::StoreU(total[v], d, sums + static_cast<size_t>(v) * lanes);
}

/// The sums of fewer columns than a vector has.
template <class T>
void narrow_sums(const T* x, int64_t rows, int64_t columns, int64_t row_stride, T* sums) {
  for (int64_t j = 0; j < columns; ++j) {
    T total{0};
    for (int64_t first = 0; first < rows; first += kRun) {
      T run{0};
      for (int64_t i = first; i < std::min(rows, first + kRun); ++i) run += x[i * row_stride + j];
      total += run;
    }
    sums[j] = total;
  }
}

template <class T>
HWY_ATTR void sums_of(const T* x, int64_t rows, int64_t columns, int64_t row_stride, T* sums) {
  const auto lanes = static_cast<int64_t>(hn::Lanes(hn::ScalableTag<T>()));
  int64_t j = 0;
  for (; j + kVectors * lanes <= columns; j += kVectors * lanes)
    wide_sums<kVectors>(x + j, rows, row_stride, sums + j);
  for (; j + lanes <= columns; j += lanes) wide_sums<1>(x + j, rows, row_stride, sums + j);
  narrow_sums(x + j, rows, columns - j, row_stride, sums + j);
}

}  // namespace

void column_sums_f32(const float* x, int64_t rows, int64_t columns, int64_t row_stride, float* sums) {
  sums_of(x, rows, columns, row_stride, sums);
}
void column_sums_f64(const double* x, int64_t rows, int64_t columns, int64_t row_stride, double* sums) {
  sums_of(x, rows, columns, row_stride, sums);
}

}  // namespace espalier::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace espalier {

HWY_EXPORT(column_sums_f32);
HWY_EXPORT(column_sums_f64);

namespace {

/// Columns are dealt out; every one is summed in the same order wherever it is.
template <class T, class Sums>
void deal_out(const T* x, int64_t rows, int64_t columns, int64_t row_stride, T* sums, Sums&& sums_of) {
  constexpr int64_t kColumns = 64;  // four vectors of AVX-512 floats
  const int64_t grain = kSerialWork / kColumns / std::max<int64_t>(rows, 1);
  parallel_for(0, (columns + kColumns - 1) / kColumns, std::max<int64_t>(1, grain),
               [&](int64_t first, int64_t last) {
                 const int64_t begin = first * kColumns, end = std::min(columns, last * kColumns);
                 sums_of(x + begin, rows, end - begin, row_stride, sums + begin);
               });
}

}  // namespace

void column_sums(const float* x, int64_t rows, int64_t columns, int64_t row_stride, float* sums) {
  deal_out(x, rows, columns, row_stride, sums, ESPALIER_DISPATCH(column_sums_f32));
}

void column_sums(const double* x, int64_t rows, int64_t columns, int64_t row_stride, double* sums) {
  deal_out(x, rows, columns, row_stride, sums, ESPALIER_DISPATCH(column_sums_f64));
}

}  // namespace espalier
#endif
