// The gradient of filters by Winograd's method: a block of tiles of the images and one of the gradients are
// transformed, their products over tiles are added to sums of each plane, and the sums are transformed back.

#include <algorithm>

#include "core/parallel.h"
#include "ops/winograd_internal.h"

// clang-format off: the order of these includes matters
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "ops/winograd_gradient.cc"
#include "core/highway_internal.h"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"
#include "ops/gemm_tile-inl.h"
#include "ops/winograd_tiles-inl.h"
// clang-format on

HWY_BEFORE_NAMESPACE();
namespace espalier::HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;

struct FilterGradientRun {
  const WinogradSizes& sizes;
  const WinogradDivision& division;
  const float* x;
  const float* dy;
};

/// Adds to the sums of each plane the products over `tiles` tiles of all input channels with a strip of
/// output channels; `add` is false the first time. Sums lie as transformed filters do.
void multiply_tiles(const FilterGradientRun& r, int64_t tiles, const float* inputs, int64_t first_column,
                    int64_t columns, const float* gradients, float* sums, bool add) {
  const WinogradDivision& d = r.division;
  for (int64_t j = 0; j < columns; j += kWinogradPanel) {
    const int64_t width = std::min(kWinogradPanel, d.columns - first_column - j);
    float* const panel = sums + (first_column + j) * d.planes * r.sizes.in_channels;
    for (int64_t plane = 0; plane < d.planes; ++plane) {
      multiply_panel({.operands = {.a = inputs + plane * d.plane_floats(d.depth),
                                   .a_row = 1,
                                   .a_step = d.depth,
                                   .b = gradients + plane * d.plane_floats(d.strip_columns) + j,
                                   .b_step = d.strip_columns,
                                   .k = tiles},
                      .c = panel + plane * r.sizes.in_channels * width,
                      .c_row = width,
                      .add = add},
                     r.sizes.in_channels, width);
    }
  }
}

/// What one worker adds up.
template <class F>
void sum_tiles(const FilterGradientRun& r, int64_t worker, float* sums, float* scratch) {
  const WinogradDivision& d = r.division;
  const WinogradSizes& s = r.sizes;
  float* const inputs = scratch;
  float* const gradients = inputs + d.planes * d.plane_floats(d.depth);
  float* const zeros = gradients + d.planes * d.plane_floats(d.strip_columns);
  std::fill_n(zeros, std::max(d.depth, d.columns), 0.0f);
  const int64_t part = worker % d.parts, range = worker / d.parts;
  const int64_t end_column = std::min((part + 1) * d.part_columns, d.columns);
  for (int64_t block = range; block < d.blocks; block += d.ranges) {
    const int64_t first = block * d.block_tiles, last = std::min(first + d.block_tiles, d.tiles);
    transform_tiles<F::kIn, F::kIn>(d, first, last,
                                    {r.x, s.in, s.padding, s.in_channels, 0, s.in_channels, zeros},
                                    {inputs, d.plane_floats(d.depth), d.depth}, typename F::Inputs());
    for (int64_t column = part * d.part_columns; column < end_column; column += d.strip_columns) {
      const int64_t end = std::min(column + d.strip_columns, end_column);
      transform_tiles<F::kOut, F::kIn>(
          d, first, last, {r.dy, s.out, 0, s.out_channels, column, std::min(end, s.out_channels), zeros},
          {gradients, d.plane_floats(d.strip_columns), d.strip_columns}, typename F::Gradients());
      multiply_tiles(r, last - first, inputs, column, end - column, gradients, sums, block != range);
    }
  }
}

/// G^T u G of input channel c and the output channels of a vector from o on, where u is the sum of the
/// ranges' sums.
template <class F>
HWY_INLINE void transform_sums(const FilterGradientRun& r, int64_t c, int64_t o, const float* sums,
                               int64_t sum_floats, float* gradient) {
  const WinogradTag d;
  const WinogradDivision& division = r.division;
  const int64_t channels = r.sizes.in_channels;
  const int64_t panel = o / kWinogradPanel * kWinogradPanel;
  const int64_t width = std::min(kWinogradPanel, division.columns - panel);
  const float* const corner = sums + panel * division.planes * channels + c * width + (o - panel);
  alignas(64) float taps[9][hn::MaxLanes(WinogradTag())];
  transform_tile<F::kIn, 3>(
      [&](int i, int j) HWY_ATTR {
        const float* const from = corner + (i * F::kIn + j) * channels * width;
        WinogradVector sum = hn::LoadU(d, from);
        for (int64_t range = 1; range < division.ranges; ++range)
          sum = hn::Add(sum, hn::LoadU(d, from + range * sum_floats));
        return sum;
      },
      typename F::FilterGradients(),
      [&](int i, int j, WinogradVector v) HWY_ATTR { hn::Store(v, d, taps[3 * i + j]); });
  const int64_t there = std::min(winograd_lanes(), r.sizes.out_channels - o);
  for (int64_t q = 0; q < there; ++q) {
    float* const filter = gradient + ((o + q) * channels + c) * 9;
    for (int tap = 0; tap < 9; ++tap) filter[tap] = taps[tap][q];
  }
}

template <class F>
void run_gradient(const WinogradSizes& sizes, const WinogradDivision& division, const float* x,
                  const float* dy, float* gradient, float* scratch) {
  const FilterGradientRun run{sizes, division, x, dy};
  const int64_t sum_floats = division.planes * sizes.in_channels * division.columns;
  float* const sums = scratch;
  float* const rest = sums + division.ranges * sum_floats;
  parallel_for(0, division.workers, 1, [&](int64_t begin, int64_t end) HWY_ATTR {
    for (int64_t worker = begin; worker < end; ++worker)
      sum_tiles<F>(run, worker, sums + worker / division.parts * sum_floats,
                   rest + worker * division.worker_floats());
  });
  const int64_t work = 4 * division.planes * division.ranges * division.columns;
  parallel_for(0, sizes.in_channels, std::max<int64_t>(1, kSerialWork / work),
               [&](int64_t begin, int64_t end) HWY_ATTR {
                 for (int64_t o = 0; o < sizes.out_channels; o += winograd_lanes()) {
                   for (int64_t c = begin; c < end; ++c)
                     transform_sums<F>(run, c, o, sums, sum_floats, gradient);
                 }
               });
}

}  // namespace

void winograd_gradient(WinogradTile tile, const WinogradSizes& sizes, const WinogradDivision& division,
                       const float* x, const float* dy, float* gradient, float* scratch) {
  if (tile == WinogradTile::two)
    run_gradient<WinogradOfTwo>(sizes, division, x, dy, gradient, scratch);
  else
    run_gradient<WinogradOfFour>(sizes, division, x, dy, gradient, scratch);
}

}  // namespace espalier::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace espalier {

HWY_EXPORT(winograd_gradient);

void WinogradFilterGradient::run(const float* x, const float* dy, float* gradient, float* scratch) const {
  ESPALIER_DISPATCH(winograd_gradient)(tile_, sizes_, division_, x, dy, gradient, scratch);
}

}  // namespace espalier
#endif
