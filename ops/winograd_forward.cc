// Convolutions by Winograd's method: a block of tiles is transformed, multiplied with the filters plane by
// plane, and transformed back, all of it in a core's own cache.

#include <algorithm>

#include "core/parallel.h"
#include "ops/winograd_internal.h"

// clang-format off: the order of these includes matters
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "ops/winograd_forward.cc"
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

/// What one run works on.
struct WinogradRun {
  const WinogradSizes& sizes;
  const WinogradDivision& division;
  const float* x;
  const float* filters;
  const WinogradEpilogue& epilogue;
  float* y;
};

/// A^T m A of tiles [first, last), from products of output channels [first_column, + columns).
template <class F>
void transform_outputs(const WinogradRun& r, int64_t first, int64_t last, const float* from,
                       int64_t first_column, int64_t columns) {
  const WinogradSizes& s = r.sizes;
  const WinogradEpilogue& e = r.epilogue;
  const WinogradTag d;
  const int64_t lanes = winograd_lanes();
  const int64_t plane = r.division.plane_floats(r.division.strip_columns);
  for (int64_t tile = first; tile < last; ++tile, from += r.division.strip_columns) {
    const TilePlace place(r.division, tile);
    const int64_t height = s.out.height - place.row, width = s.out.width - place.column;
    const int64_t corner =
        ((place.image * s.out.height + place.row) * s.out.width + place.column) * s.out_channels;
    for (int64_t c = 0; c < columns; c += lanes) {
      const int64_t channel = first_column + c, left = s.out_channels - channel;
      if (left <= 0) break;
      const WinogradVector bias = e.bias ? load_left(e.bias + channel, left) : hn::Zero(d);
      transform_tile<F::kIn, F::kOut>(
          [&](int i, int j) HWY_ATTR { return hn::LoadU(d, from + (i * F::kIn + j) * plane + c); },
          typename F::Outputs(),
          [&](int i, int j, WinogradVector v) HWY_ATTR {
            if (i >= height || j >= width) return;
            const int64_t at = corner + (i * s.out.width + j) * s.out_channels + channel;
            v = hn::Add(v, bias);
            if (e.residual) v = hn::Add(v, load_left(e.residual + at, left));
            if (e.relu) v = hn::Max(hn::Zero(d), v);  // in this order NaN stays NaN, as relu() has it
            store_left(v, r.y + at, left);
          });
    }
  }
}

/// Products of all planes: tiles of a block times a strip of the filters.
void multiply_planes(const WinogradRun& r, int64_t tiles, const float* inputs, int64_t first_column,
                     int64_t columns, float* products) {
  const WinogradDivision& d = r.division;
  for (int64_t j = 0; j < columns; j += kWinogradPanel) {
    const int64_t width = std::min(kWinogradPanel, d.columns - first_column - j);
    const float* const panel = r.filters + (first_column + j) * d.planes * r.sizes.in_channels;
    for (int64_t plane = 0; plane < d.planes; ++plane) {
      multiply_panel({.operands = {.a = inputs + plane * d.plane_floats(d.depth),
                                   .a_row = d.depth,
                                   .a_step = 1,
                                   .b = panel + plane * r.sizes.in_channels * width,
                                   .b_step = width,
                                   .k = r.sizes.in_channels},
                      .c = products + plane * d.plane_floats(d.strip_columns) + j,
                      .c_row = d.strip_columns,
                      .add = false},
                     tiles, width);
    }
  }
}

/// A block of tiles, for a part of the output channels.
template <class F>
void run_block(const WinogradRun& r, int64_t block, int64_t part, float* scratch) {
  const WinogradDivision& d = r.division;
  float* const inputs = scratch;
  float* const products = inputs + d.planes * d.plane_floats(d.depth);
  float* const zeros = products + d.planes * d.plane_floats(d.strip_columns);
  std::fill_n(zeros, d.depth, 0.0f);
  const int64_t first = block * d.block_tiles, last = std::min(first + d.block_tiles, d.tiles);
  const int64_t channels = r.sizes.in_channels;
  transform_tiles<F::kIn, F::kIn>(d, first, last,
                                  {r.x, r.sizes.in, r.sizes.padding, channels, 0, channels, zeros},
                                  {inputs, d.plane_floats(d.depth), d.depth}, typename F::Inputs());
  const int64_t end = std::min((part + 1) * d.part_columns, d.columns);
  for (int64_t column = part * d.part_columns; column < end; column += d.strip_columns) {
    const int64_t columns = std::min(d.strip_columns, end - column);
    multiply_planes(r, last - first, inputs, column, columns, products);
    transform_outputs<F>(r, first, last, products, column, columns);
  }
}

/// G g G^T of input channel c and output channels [o, o + lanes), of which `left` are there.
template <class F>
HWY_INLINE void transform_filters_of(const WinogradFilters& f, int64_t c, int64_t o, int64_t left, float* to,
                                     int64_t plane) {
  const WinogradTag d;
  const hn::RebindToSigned<WinogradTag> di;
  // Channels that are not there read the last one that is, and become zero.
  const auto last = static_cast<int32_t>(std::max<int64_t>(left, 1) - 1);
  const auto channel = hn::Min(hn::Iota(di, 0), hn::Set(di, last));
  const auto index = hn::Mul(channel, hn::Set(di, static_cast<int32_t>(f.out_step)));
  const auto there = hn::FirstN(d, static_cast<size_t>(left));
  const float* const corner = f.data + c * f.in_step + o * f.out_step;
  transform_tile<3, F::kIn>(
      [&](int i, int j) HWY_ATTR {
        const int at = 3 * i + j;
        return hn::IfThenElseZero(there, hn::GatherIndex(d, corner + (f.rotated ? 8 - at : at), index));
      },
      typename F::Filters(),
      [&](int i, int j, WinogradVector v) HWY_ATTR { hn::StoreU(v, d, to + (i * F::kIn + j) * plane); });
}

template <class F>
void run_tiles(const WinogradRun& run, float* scratch) {
  const WinogradDivision& d = run.division;
  parallel_for(0, d.workers, 1, [&](int64_t begin, int64_t end) HWY_ATTR {
    for (int64_t worker = begin; worker < end; ++worker) {
      for (int64_t block = worker / d.parts; block < d.blocks; block += d.ranges)
        run_block<F>(run, block, worker % d.parts, scratch + worker * d.worker_floats());
    }
  });
}

template <class F>
void transform_all_filters(const WinogradSizes& sizes, const WinogradDivision& division,
                           const WinogradFilters& filters, float* to) {
  const int64_t lanes = winograd_lanes();
  const int64_t channels = sizes.in_channels;
  const int64_t work = 9 * division.planes * division.columns;
  parallel_for(
      0, channels, std::max<int64_t>(1, kSerialWork / work), [&](int64_t begin, int64_t end) HWY_ATTR {
        for (int64_t o = 0; o < division.columns; o += lanes) {
          const int64_t panel = o / kWinogradPanel * kWinogradPanel;
          const int64_t width = std::min(kWinogradPanel, division.columns - panel);
          float* const corner = to + panel * division.planes * channels + (o - panel);
          for (int64_t c = begin; c < end; ++c) {
            const int64_t left = std::clamp<int64_t>(sizes.out_channels - o, 0, lanes);
            transform_filters_of<F>(filters, c, left > 0 ? o : 0, left, corner + c * width, channels * width);
          }
        }
      });
}

}  // namespace

void winograd_run(WinogradTile tile, const WinogradSizes& sizes, const WinogradDivision& division,
                  const float* x, const float* filters, const WinogradEpilogue& epilogue, float* y,
                  float* scratch) {
  const WinogradRun run{sizes, division, x, filters, epilogue, y};
  if (tile == WinogradTile::two)
    run_tiles<WinogradOfTwo>(run, scratch);
  else
    run_tiles<WinogradOfFour>(run, scratch);
}

void winograd_filters(WinogradTile tile, const WinogradSizes& sizes, const WinogradDivision& division,
                      const WinogradFilters& filters, float* to) {
  if (tile == WinogradTile::two)
    transform_all_filters<WinogradOfTwo>(sizes, division, filters, to);
  else
    transform_all_filters<WinogradOfFour>(sizes, division, filters, to);
}

}  // namespace espalier::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace espalier {

HWY_EXPORT(winograd_run);
HWY_EXPORT(winograd_filters);

void WinogradConvolution::transform_filters(const WinogradFilters& filters, float* transformed) const {
  ESPALIER_DISPATCH(winograd_filters)(tile_, sizes_, division_, filters, transformed);
}

void WinogradConvolution::run(const float* x, const float* transformed, const WinogradEpilogue& epilogue,
                              float* y, float* scratch) const {
  ESPALIER_DISPATCH(winograd_run)(tile_, sizes_, division_, x, transformed, epilogue, y, scratch);
}

}  // namespace espalier
#endif
