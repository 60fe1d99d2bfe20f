#include <cmath>

#include "ops/layer_norm_rows_internal.h"

// clang-format off
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "ops/layer_norm_rows.cc"
#include "core/highway_internal.h"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"
#include "core/masked-inl.h"
// clang-format on

HWY_BEFORE_NAMESPACE();
namespace espalier::HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;

template <class T>
using D = hn::ScalableTag<T>;

/// Calls `f(i, load, store)` for the vectors that cover [0, n); load and store leave out the lanes past the
/// end, which read as 0.
template <class T, class F>
HWY_INLINE void for_each_vector(int64_t n, F&& f) {
  const D<T> d;
  const auto lanes = static_cast<int64_t>(hn::Lanes(d));
  int64_t i = 0;
  for (; i + lanes <= n; i += lanes) {
    f(
        i, [&](const T* p) HWY_ATTR { return hn::LoadU(d, p + i); },
        [&](hn::Vec<D<T>> v, T* p) HWY_ATTR { hn::StoreU(v, d, p + i); });
  }
  if (i < n) {
    const auto rest = hn::FirstN(d, static_cast<size_t>(n - i));
    f(
        i, [&](const T* p) HWY_ATTR { return load_first(rest, d, p + i); },
        [&](hn::Vec<D<T>> v, T* p) HWY_ATTR { hn::BlendedStore(v, rest, d, p + i); });
  }
}

template <class T>
HWY_INLINE T sum_of_lanes(hn::Vec<D<T>> v) {
  return hn::GetLane(hn::SumOfLanes(D<T>(), v));
}

template <class T>
HWY_ATTR void normalize_rows(const LayerNormRows<T>& rows, int64_t first, int64_t last) {
  const D<T> d;
  const auto lanes = static_cast<int64_t>(hn::Lanes(d));
  const int64_t n = rows.size;
  for (int64_t row = first; row < last; ++row) {
    const T* x = rows.x + row * n;
    T* y = rows.y + row * n;
    // Two sums at a time hide the latency of the additions.
    auto even = hn::Zero(d), odd = hn::Zero(d);
    for_each_vector<T>(n, [&](int64_t i, const auto& load, const auto&) HWY_ATTR {
      if (i / lanes % 2 == 0)
        even = hn::Add(even, load(x));
      else
        odd = hn::Add(odd, load(x));
    });
    const T mean = sum_of_lanes<T>(hn::Add(even, odd)) / static_cast<T>(n);
    // The squares of the differences from the mean, in a second pass over a row that is in cache: no
    // cancellation.
    const auto center = hn::Set(d, mean);
    even = odd = hn::Zero(d);
    int64_t i = 0;
    for (; i + 2 * lanes <= n; i += 2 * lanes) {
      const auto a = hn::Sub(hn::LoadU(d, x + i), center), b = hn::Sub(hn::LoadU(d, x + i + lanes), center);
      even = hn::MulAdd(a, a, even);
      odd = hn::MulAdd(b, b, odd);
    }
    for (; i < n; i += lanes) {
      const auto rest = hn::FirstN(d, static_cast<size_t>(n - i));
      const auto a = hn::IfThenElseZero(rest, hn::Sub(load_first(rest, d, x + i), center));
      even = hn::MulAdd(a, a, even);
    }
    const T variance = sum_of_lanes<T>(hn::Add(even, odd)) / static_cast<T>(n);
    const T scale = 1 / std::sqrt(variance + rows.epsilon);
    rows.mean[row] = mean;
    rows.scale[row] = scale;
    const auto factor = hn::Set(d, scale);
    for_each_vector<T>(n, [&](int64_t, const auto& load, const auto& store) HWY_ATTR {
      auto value = hn::Mul(hn::Sub(load(x), center), factor);
      if (rows.weight) value = hn::Mul(value, load(rows.weight));
      if (rows.bias) value = hn::Add(value, load(rows.bias));
      store(value, y);
    });
  }
}

template <class T>
HWY_ATTR void differentiate_rows(const LayerNormGradients<T>& rows, int64_t first, int64_t last, T* dweight,
                                 T* dbias) {
  const D<T> d;
  const int64_t n = rows.size;
  for (int64_t row = first; row < last; ++row) {
    const T *x = rows.x + row * n, *dy = rows.dy + row * n;
    const auto mean = hn::Set(d, rows.mean[row]), scale = hn::Set(d, rows.scale[row]);
    auto sum = hn::Zero(d), weighted = hn::Zero(d);
    // Lanes past the end add nothing, because dy is 0 there.
    for_each_vector<T>(n, [&](int64_t, const auto& load, const auto& store) HWY_ATTR {
      const auto h = hn::Mul(hn::Sub(load(x), mean), scale);
      const auto gradient = load(dy);
      if (dweight) {
        store(hn::MulAdd(gradient, h, load(dweight)), dweight);
        store(hn::Add(gradient, load(dbias)), dbias);
      }
      const auto g = rows.weight ? hn::Mul(gradient, load(rows.weight)) : gradient;
      sum = hn::Add(sum, g);
      weighted = hn::MulAdd(g, h, weighted);
    });
    if (!rows.dx) continue;
    T* dx = rows.dx + row * n;
    const auto mean_of_g = hn::Set(d, sum_of_lanes<T>(sum) / static_cast<T>(n));
    const auto mean_of_gh = hn::Set(d, sum_of_lanes<T>(weighted) / static_cast<T>(n));
    for_each_vector<T>(n, [&](int64_t, const auto& load, const auto& store) HWY_ATTR {
      const auto h = hn::Mul(hn::Sub(load(x), mean), scale);
      const auto g = rows.weight ? hn::Mul(load(dy), load(rows.weight)) : load(dy);
      store(hn::Mul(scale, hn::NegMulAdd(h, mean_of_gh, hn::Sub(g, mean_of_g))), dx);
    });
  }
}

}  // namespace

void normalize_f32(const LayerNormRows<float>& rows, int64_t first, int64_t last) {
  normalize_rows(rows, first, last);
}
void normalize_f64(const LayerNormRows<double>& rows, int64_t first, int64_t last) {
  normalize_rows(rows, first, last);
}
void differentiate_f32(const LayerNormGradients<float>& rows, int64_t first, int64_t last, float* dw,
                       float* db) {
  differentiate_rows(rows, first, last, dw, db);
}
void differentiate_f64(const LayerNormGradients<double>& rows, int64_t first, int64_t last, double* dw,
                       double* db) {
  differentiate_rows(rows, first, last, dw, db);
}

}  // namespace espalier::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace espalier {

HWY_EXPORT(normalize_f32);
HWY_EXPORT(normalize_f64);
HWY_EXPORT(differentiate_f32);
HWY_EXPORT(differentiate_f64);

void layer_norm_rows(const LayerNormRows<float>& rows, int64_t first, int64_t last) {
  ESPALIER_DISPATCH(normalize_f32)(rows, first, last);
}
void layer_norm_rows(const LayerNormRows<double>& rows, int64_t first, int64_t last) {
  ESPALIER_DISPATCH(normalize_f64)(rows, first, last);
}

void layer_norm_gradients(const LayerNormGradients<float>& rows, int64_t first, int64_t last, float* dweight,
                          float* dbias) {
  ESPALIER_DISPATCH(differentiate_f32)(rows, first, last, dweight, dbias);
}
void layer_norm_gradients(const LayerNormGradients<double>& rows, int64_t first, int64_t last,
                          double* dweight, double* dbias) {
  ESPALIER_DISPATCH(differentiate_f64)(rows, first, last, dweight, dbias);
}

}  // namespace espalier
#endif
