// How convolutions by Winograd's method are divided among threads and caches.

#include <algorithm>

#include "core/parallel.h"
#include "ops/winograd_internal.h"

namespace espalier {
namespace {

int64_t ceil_div(int64_t a, int64_t b) {
  return (a + b - 1) / b;
}
int64_t round_up(int64_t a, int64_t b) {
  return ceil_div(a, b) * b;
}

// Block sizes from measurements on 2 cores of an EPYC 9004 (1 MiB of second-level cache each), at the sizes
// of winograd_choice.cc: from 128 KiB to 768 KiB convolutions differ by a tenth at most; gradients, whose
// sums go through the caches once a block, are a fifth slower with 512 KiB than with 2 MiB.

/// What a block of a convolution keeps of transformed inputs and of products.
constexpr int64_t kConvolutionBytes = int64_t{512} * 1024;
/// What a block of a filters' gradient keeps of transformed inputs and gradients.
constexpr int64_t kGradientBytes = int64_t{2048} * 1024;
/// Output channels whose products a worker keeps at once: two panels, not tuned.
constexpr int64_t kStripColumns = 64;
/// With fewer tiles for each worker, they divide the output channels: each then reads a part of the filters
/// only.
constexpr int64_t kLeastTiles = 12;
/// The same for gradients of filters, where ranges of tiles have sums of their own, which cost memory and
/// time.
constexpr int64_t kLeastSummedTiles = 128;

}  // namespace

WinogradDivision::WinogradDivision(const WinogradSizes& sizes, WinogradTile tile_)
    : tile(static_cast<int64_t>(tile_)),
      planes((tile + 2) * (tile + 2)),
      tiles_high(ceil_div(sizes.out.height, tile)),
      tiles_wide(ceil_div(sizes.out.width, tile)),
      tiles(sizes.images * tiles_high * tiles_wide),
      depth(round_up(sizes.in_channels, kWinogradPad)),
      columns(round_up(sizes.out_channels, kWinogradPad)) {}

void WinogradDivision::divide(int64_t most_workers, int64_t least_tiles, int64_t block_bytes) {
  const bool by_columns = tiles < least_tiles * most_workers;
  part_columns = by_columns ? round_up(ceil_div(columns, most_workers), kWinogradPanel) : columns;
  parts = ceil_div(columns, part_columns);
  ranges = by_columns ? 1 : most_workers;
  strip_columns = std::min(part_columns, kStripColumns);
  const int64_t tile_bytes = planes * (depth + strip_columns) * static_cast<int64_t>(sizeof(float));
  const int64_t least_blocks = ceil_div(tiles, std::max(block_bytes / tile_bytes, kLeastTiles));
  block_tiles = ceil_div(tiles, round_up(least_blocks, ranges));
  blocks = ceil_div(tiles, block_tiles);
  ranges = std::min(ranges, blocks);  // rounding up may leave fewer blocks than ranges
  workers = parts * ranges;
}

WinogradDivision WinogradDivision::of_images(const WinogradSizes& sizes, WinogradTile tile, int threads) {
  WinogradDivision d(sizes, tile);
  const int64_t work = d.planes * d.depth * d.columns * d.tiles;
  d.divide(std::clamp<int64_t>(work / kSerialWork, 1, threads), kLeastTiles, kConvolutionBytes);
  return d;
}

WinogradDivision WinogradDivision::of_filters(const WinogradSizes& sizes, WinogradTile tile, int threads) {
  WinogradDivision d(sizes, tile);
  d.divide(threads, kLeastSummedTiles, kGradientBytes);
  return d;
}

}  // namespace espalier
