#include <utility>

#include "ops/batch_norm_internal.h"

// clang-format off
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "ops/batch_norm_loops_cpu.cc"
#include "core/highway_internal.h"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"
#include "core/masked-inl.h"
// clang-format on

HWY_BEFORE_NAMESPACE();
namespace espalier::HWY_NAMESPACE {
namespace hn = hwy::HWY_NAMESPACE;

using D = hn::ScalableTag<float>;
using V = hn::Vec<D>;

/// Vectors that a loop keeps in registers for each of its sums or coefficients: four hide the latency of the
/// adds, and four coefficients of four vectors each still fit into 32 registers.
constexpr int kWide = 4;

/// `width` vectors of neighbouring channels, the last of which may be partial.
template <int width, bool partial>
struct Chunk {
  static constexpr int kWidth = width;
  static constexpr bool kPartial = partial;
  size_t last;  ///< channels in the partial vector

  HWY_INLINE V load(const float* from, int i) const {
    const D d;
    if constexpr (partial) {
      if (i == width - 1)
        return load_first(hn::FirstN(d, last), d, from + static_cast<size_t>(i) * hn::Lanes(d));
    }
    return hn::LoadU(d, from + static_cast<size_t>(i) * hn::Lanes(d));
  }
  HWY_INLINE void store(V value, float* to, int i) const {
    const D d;
    if constexpr (partial) {
      if (i == width - 1)
        return hn::BlendedStore(value, hn::FirstN(d, last), d, to + static_cast<size_t>(i) * hn::Lanes(d));
    }
    hn::StoreU(value, d, to + static_cast<size_t>(i) * hn::Lanes(d));
  }
};

/// Calls `loop(chunk, first_channel)` for chunks that cover all channels.
template <class Loop>
HWY_INLINE void for_each_chunk(int64_t channels, const Loop& loop) {
  const auto lanes = static_cast<int64_t>(hn::Lanes(D()));
  int64_t c = 0;
  for (; c + kWide * lanes <= channels; c += kWide * lanes) loop(Chunk<kWide, false>{0}, c);
  if (c + 2 * lanes <= channels) {
    loop(Chunk<2, false>{0}, c);
    c += 2 * lanes;
  }
  if (c + lanes <= channels) {
    loop(Chunk<1, false>{0}, c);
    c += lanes;
  }
  if (c < channels) loop(Chunk<1, true>{static_cast<size_t>(channels - c)}, c);
}

/// Adds `term(row, vector)` over the rows, `kSums` sums at a time; narrow chunks take several rows in turn so
/// that as many additions are under way.
template <int kSums, class Chunk, class Term>
HWY_INLINE void sum_rows(const Chunk&, int64_t rows, const Term& term, V (&total)[kSums][kWide]) {
  const D d;
  constexpr int kRows = kWide / Chunk::kWidth;
  V sums[kSums][kWide];
  for (int s = 0; s < kSums; ++s) {
    for (int i = 0; i < kWide; ++i) sums[s][i] = hn::Zero(d);
  }
  int64_t row = 0;
  for (; row + kRows <= rows; row += kRows) {
    HWY_UNROLL(4)
    for (int j = 0; j < kWide; ++j) term(row + j / Chunk::kWidth, j % Chunk::kWidth, sums, j);
  }
  for (; row < rows; ++row) {
    for (int j = 0; j < Chunk::kWidth; ++j) term(row, j, sums, j);
  }
  for (int s = 0; s < kSums; ++s) {
    for (int i = 0; i < Chunk::kWidth; ++i) {
      total[s][i] = sums[s][i];
      for (int j = 1; j < kRows; ++j) total[s][i] = hn::Add(total[s][i], sums[s][i + j * Chunk::kWidth]);
    }
  }
}

void row_moments_loop(const float* x, int64_t rows, int64_t channels, float* mean, float* squares) {
  const D d;
  const V share = hn::Set(d, 1.0f / static_cast<float>(rows));
  for_each_chunk(channels, [&](const auto& chunk, int64_t c) HWY_ATTR {
    constexpr int kWidth = std::decay_t<decltype(chunk)>::kWidth;
    V total[1][kWide], centre[kWide];
    sum_rows(
        chunk, rows,
        [&](int64_t row, int i, V(&sums)[1][kWide], int at)
            HWY_ATTR { sums[0][at] = hn::Add(sums[0][at], chunk.load(x + row * channels + c, i)); },
        total);
    for (int i = 0; i < kWidth; ++i) {
      centre[i] = hn::Mul(total[0][i], share);
      chunk.store(centre[i], mean + c, i);
    }
    sum_rows(
        chunk, rows,
        [&](int64_t row, int i, V(&sums)[1][kWide], int at) HWY_ATTR {
          const V distance = hn::Sub(chunk.load(x + row * channels + c, i), centre[i]);
          sums[0][at] = hn::MulAdd(distance, distance, sums[0][at]);
        },
        total);
    for (int i = 0; i < kWidth; ++i) chunk.store(total[0][i], squares + c, i);
  });
}

void row_products_loop(const float* gradient, const float* x, const float* mean, int64_t rows,
                       int64_t channels, float* sum, float* product) {
  for_each_chunk(channels, [&](const auto& chunk, int64_t c) HWY_ATTR {
    constexpr int kWidth = std::decay_t<decltype(chunk)>::kWidth;
    V total[2][kWide], centre[kWide];
    for (int i = 0; i < kWidth; ++i) centre[i] = chunk.load(mean + c, i);
    sum_rows(
        chunk, rows,
        [&](int64_t row, int i, V(&sums)[2][kWide], int at) HWY_ATTR {
          const V g = chunk.load(gradient + row * channels + c, i);
          const V distance = hn::Sub(chunk.load(x + row * channels + c, i), centre[i]);
          sums[0][at] = hn::Add(sums[0][at], g);
          sums[1][at] = hn::MulAdd(g, distance, sums[1][at]);
        },
        total);
    for (int i = 0; i < kWidth; ++i) {
      chunk.store(total[0][i], sum + c, i);
      chunk.store(total[1][i], product + c, i);
    }
  });
}

void row_normalize_loop(const float* x, const NormCoefficients& k, int64_t rows, int64_t channels, float* y) {
  for_each_chunk(channels, [&](const auto& chunk, int64_t c) HWY_ATTR {
    constexpr int kWidth = std::decay_t<decltype(chunk)>::kWidth;
    V mean[kWidth], scale[kWidth], shift[kWidth];
    for (int i = 0; i < kWidth; ++i) {
      mean[i] = chunk.load(k.mean + c, i);
      scale[i] = chunk.load(k.scale + c, i);
      shift[i] = chunk.load(k.shift + c, i);
    }
    for (int64_t row = 0; row < rows; ++row) {
      for (int i = 0; i < kWidth; ++i) {
        const V centred = hn::Sub(chunk.load(x + row * channels + c, i), mean[i]);
        chunk.store(hn::MulAdd(centred, scale[i], shift[i]), y + row * channels + c, i);
      }
    }
  });
}

void row_gradient_loop(const float* gradient, const float* x, const NormCoefficients& k, int64_t rows,
                       int64_t channels, float* dx) {
  for_each_chunk(channels, [&](const auto& chunk, int64_t c) HWY_ATTR {
    constexpr int kWidth = std::decay_t<decltype(chunk)>::kWidth;
    V mean[kWidth], scale[kWidth], slope[kWidth], shift[kWidth];
    for (int i = 0; i < kWidth; ++i) {
      mean[i] = chunk.load(k.mean + c, i);
      scale[i] = chunk.load(k.scale + c, i);
      slope[i] = chunk.load(k.slope + c, i);
      shift[i] = chunk.load(k.shift + c, i);
    }
    for (int64_t row = 0; row < rows; ++row) {
      for (int i = 0; i < kWidth; ++i) {
        const V centred = hn::Sub(chunk.load(x + row * channels + c, i), mean[i]);
        const V scaled = hn::MulSub(chunk.load(gradient + row * channels + c, i), scale[i], shift[i]);
        chunk.store(hn::NegMulAdd(centred, slope[i], scaled), dx + row * channels + c, i);
      }
    }
  });
}

/// Adds up `term(i, mask)` over `n` neighbours; what is past the end is masked away.
template <class Term>
HWY_INLINE void sum_run(int64_t n, const Term& term) {
  const auto lanes = static_cast<int64_t>(hn::Lanes(D()));
  int64_t i = 0;
  for (; i + kWide * lanes <= n; i += kWide * lanes) {
    for (int j = 0; j < kWide; ++j) term(i + j * lanes, Chunk<1, false>{0}, j);
  }
  for (; i + lanes <= n; i += lanes) term(i, Chunk<1, false>{0}, 0);
  if (i < n) term(i, Chunk<1, true>{static_cast<size_t>(n - i)}, 0);
}

HWY_INLINE float reduced(const V (&sums)[kWide]) {
  const D d;
  return hn::GetLane(hn::SumOfLanes(d, hn::Add(hn::Add(sums[0], sums[1]), hn::Add(sums[2], sums[3]))));
}

HWY_INLINE void clear(V (&sums)[kWide]) {
  for (V& sum : sums) sum = hn::Zero(D());
}

void run_moments_loop(const float* x, int64_t n, float* mean, float* squares) {
  V sums[kWide];
  clear(sums);
  sum_run(n, [&](int64_t i, const auto& chunk, int at)
                 HWY_ATTR { sums[at] = hn::Add(sums[at], chunk.load(x + i, 0)); });
  *mean = reduced(sums) / static_cast<float>(n);
  const V centre = hn::Set(D(), *mean);
  clear(sums);
  sum_run(n, [&](int64_t i, const auto& chunk, int at) HWY_ATTR {
    V distance = hn::Sub(chunk.load(x + i, 0), centre);
    if constexpr (std::decay_t<decltype(chunk)>::kPartial)
      distance = hn::IfThenElseZero(hn::FirstN(D(), chunk.last), distance);
    sums[at] = hn::MulAdd(distance, distance, sums[at]);
  });
  *squares = reduced(sums);
}

void run_products_loop(const float* gradient, const float* x, const float* mean, const Runs& runs, float* sum,
                       float* product) {
  for (int64_t c = 0; c < runs.channels; ++c) {
    const V centre = hn::Set(D(), mean[c]);
    V sums[kWide], products[kWide];
    clear(sums);
    clear(products);
    sum_run(runs.n, [&](int64_t i, const auto& chunk, int at) HWY_ATTR {
      const V g = chunk.load(gradient + c * runs.stride + i, 0);  // 0 past the end
      sums[at] = hn::Add(sums[at], g);
      products[at] = hn::MulAdd(g, hn::Sub(chunk.load(x + c * runs.stride + i, 0), centre), products[at]);
    });
    sum[c] = reduced(sums);
    product[c] = reduced(products);
  }
}

void run_normalize_loop(const float* x, const NormCoefficients& k, const Runs& runs, float* y) {
  const D d;
  for (int64_t c = 0; c < runs.channels; ++c) {
    const V mean = hn::Set(d, k.mean[c]), scale = hn::Set(d, k.scale[c]), shift = hn::Set(d, k.shift[c]);
    sum_run(runs.n, [&](int64_t i, const auto& chunk, int) HWY_ATTR {
      const int64_t at = c * runs.stride + i;
      chunk.store(hn::MulAdd(hn::Sub(chunk.load(x + at, 0), mean), scale, shift), y + at, 0);
    });
  }
}

void run_gradient_loop(const float* gradient, const float* x, const NormCoefficients& k, const Runs& runs,
                       float* dx) {
  const D d;
  for (int64_t c = 0; c < runs.channels; ++c) {
    const V mean = hn::Set(d, k.mean[c]), scale = hn::Set(d, k.scale[c]), slope = hn::Set(d, k.slope[c]),
            shift = hn::Set(d, k.shift[c]);
    sum_run(runs.n, [&](int64_t i, const auto& chunk, int) HWY_ATTR {
      const int64_t at = c * runs.stride + i;
      const V scaled = hn::MulSub(chunk.load(gradient + at, 0), scale, shift);
      chunk.store(hn::NegMulAdd(hn::Sub(chunk.load(x + at, 0), mean), slope, scaled), dx + at, 0);
    });
  }
}

}  // namespace espalier::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace espalier {

HWY_EXPORT(row_moments_loop);
HWY_EXPORT(row_products_loop);
HWY_EXPORT(row_normalize_loop);
HWY_EXPORT(row_gradient_loop);
HWY_EXPORT(run_moments_loop);
HWY_EXPORT(run_products_loop);
HWY_EXPORT(run_normalize_loop);
HWY_EXPORT(run_gradient_loop);

void row_moments(const float* x, int64_t rows, int64_t channels, float* mean, float* squares) {
  ESPALIER_DISPATCH(row_moments_loop)(x, rows, channels, mean, squares);
}
void row_products(const float* gradient, const float* x, const float* mean, int64_t rows, int64_t channels,
                  float* sum, float* product) {
  ESPALIER_DISPATCH(row_products_loop)(gradient, x, mean, rows, channels, sum, product);
}
void row_normalize(const float* x, const NormCoefficients& k, int64_t rows, int64_t channels, float* y) {
  ESPALIER_DISPATCH(row_normalize_loop)(x, k, rows, channels, y);
}
void row_gradient(const float* gradient, const float* x, const NormCoefficients& k, int64_t rows,
                  int64_t channels, float* dx) {
  ESPALIER_DISPATCH(row_gradient_loop)(gradient, x, k, rows, channels, dx);
}
void run_moments(const float* x, int64_t n, float* mean, float* squares) {
  ESPALIER_DISPATCH(run_moments_loop)(x, n, mean, squares);
}
void run_products(const float* gradient, const float* x, const float* mean, const Runs& runs, float* sum,
                  float* product) {
  ESPALIER_DISPATCH(run_products_loop)(gradient, x, mean, runs, sum, product);
}
void run_normalize(const float* x, const NormCoefficients& k, const Runs& runs, float* y) {
  ESPALIER_DISPATCH(run_normalize_loop)(x, k, runs, y);
}
void run_gradient(const float* gradient, const float* x, const NormCoefficients& k, const Runs& runs,
                  float* dx) {
  ESPALIER_DISPATCH(run_gradient_loop)(gradient, x, k, runs, dx);
}

}  // namespace espalier
#endif
