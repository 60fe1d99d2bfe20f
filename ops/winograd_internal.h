#pragma once

#include <algorithm>
#include <cstdint>
#include <optional>

#include "ops/window.h"

namespace espalier {

/// A convolution of f32 images in channels-last memory with 3 x 3 filters at stride 1. What lies outside an
/// image is zero: `padding` rows above and columns left of it, and as many behind it as the outputs read.
struct WinogradSizes {
  int64_t images = 0, in_channels = 0, out_channels = 0;
  Size2d in = 0, out = 0;  ///< pixels
  Size2d padding = 0;
};

/// Which square of outputs is computed at once: F(2 x 2, 3 x 3) or F(4 x 4, 3 x 3) of ops/winograd-inl.h.
enum class WinogradTile : int8_t { two = 2, four = 4 };

/// Filters as f32 wherever they lie: the element of input channel c, output channel o, row i and column j is
/// data[c * in_step + o * out_step + 3 i + j], or, where `rotated`, that of row 2 - i and column 2 - j.
struct WinogradFilters {
  const float* data;
  int64_t in_step, out_step;
  bool rotated;
};

/// Transformed filters lie in panels of this many output channels (the last may have kWinogradPad): panel,
/// plane, input channel, output channel.
inline constexpr int64_t kWinogradPanel = 32;
inline constexpr int64_t kWinogradPad = 16;

/// What happens to y before it is written: a bias of each output channel and what `residual`, of y's layout,
/// holds are added where they are there; `relu` is max(0, y).
struct WinogradEpilogue {
  const float* bias = nullptr;
  const float* residual = nullptr;
  bool relu = false;
};

/// The tile by which a direction of the convolution is faster than direct code, if any. `overhead` is what a
/// run does once for all tiles, counted in tiles.
std::optional<WinogradTile> choose_winograd_tile(const WinogradSizes& sizes, int64_t overhead);

/// How the work is divided. Tiles are counted along the rows of an image, image after image. A worker has one
/// of `parts` parts of the output channels, and every `ranges`th block of tiles.
struct WinogradDivision {
  int64_t tile, planes;  ///< outputs along a tile's side; multiplications in the place of 9 tile^2
  int64_t tiles_high, tiles_wide, tiles;
  int64_t depth, columns;  ///< channels in and out, rounded up to a multiple of kWinogradPad
  int64_t workers = 0, parts = 0, ranges = 0;  ///< the first is the product of the others
  int64_t part_columns = 0;
  int64_t strip_columns = 0;  ///< of a part, that are computed at once
  int64_t block_tiles = 0, blocks = 0;

  /// The tiles alone: what depends on the number of threads stays open.
  WinogradDivision(const WinogradSizes& sizes, WinogradTile tile);
  static WinogradDivision of_images(const WinogradSizes& sizes, WinogradTile tile, int threads);
  static WinogradDivision of_filters(const WinogradSizes& sizes, WinogradTile tile, int threads);

  /// Floats from plane to plane of transformed tiles, `width` a tile. A cache line more than they take:
  /// otherwise planes that are a multiple of 4096 bytes apart would all lie in one set of the cache.
  int64_t plane_floats(int64_t width) const { return block_tiles * width + kWinogradPad; }
  /// Memory of a worker: transformed inputs, a strip of products or transformed gradients, a pixel of zeros.
  int64_t worker_floats() const {
    return planes * (plane_floats(depth) + plane_floats(strip_columns)) + std::max(depth, columns);
  }

 private:
  void divide(int64_t most_workers, int64_t least_tiles, int64_t block_bytes);
};

/// y = epilogue(conv(x, filters)), made ready for so many threads, which runs will use. Immutable. The bits
/// of y do not depend on the number of threads.
class WinogradConvolution {
 public:
  WinogradConvolution(const WinogradSizes& sizes, WinogradTile tile, int threads)
      : sizes_(sizes), tile_(tile), division_(WinogradDivision::of_images(sizes, tile, threads)) {}

  /// Floats of transformed filters, and of the memory that a run needs for itself.
  int64_t filter_floats() const { return division_.planes * sizes_.in_channels * division_.columns; }
  int64_t scratch_floats() const { return division_.workers * division_.worker_floats(); }

  void transform_filters(const WinogradFilters& filters, float* transformed) const;
  void run(const float* x, const float* transformed, const WinogradEpilogue& epilogue, float* y,
           float* scratch) const;

 private:
  WinogradSizes sizes_;
  WinogradTile tile_;
  WinogradDivision division_;
};

/// The gradient of the filters, row-major [out_channels, in_channels, 3, 3], of x and the gradient of y. Each
/// worker sums over tiles of its own: the bits depend on the number of threads.
class WinogradFilterGradient {
 public:
  WinogradFilterGradient(const WinogradSizes& sizes, WinogradTile tile, int threads)
      : sizes_(sizes), tile_(tile), division_(WinogradDivision::of_filters(sizes, tile, threads)) {}

  int64_t scratch_floats() const {
    return division_.workers * division_.worker_floats() + division_.ranges * sum_floats();
  }

  void run(const float* x, const float* dy, float* gradient, float* scratch) const;

 private:
  int64_t sum_floats() const { return division_.planes * sizes_.in_channels * division_.columns; }

  WinogradSizes sizes_;
  WinogradTile tile_;
  WinogradDivision division_;
};

}  // namespace espalier
