// How Winograd's method reads pixels, compiled once per instruction set: include it inside a file set up as
// core/highway_internal.h says, after "hwy/highway.h".

#if defined(ESPALIER_WINOGRAD_TILES_INL_H_) == defined(HWY_TARGET_TOGGLE)
#ifdef ESPALIER_WINOGRAD_TILES_INL_H_
#undef ESPALIER_WINOGRAD_TILES_INL_H_
#else
#define ESPALIER_WINOGRAD_TILES_INL_H_
#endif

#include "core/masked-inl.h"
#include "hwy/highway.h"
#include "ops/winograd-inl.h"
#include "ops/winograd_internal.h"

HWY_BEFORE_NAMESPACE();
namespace espalier::HWY_NAMESPACE {
namespace {

/// Where a tile stands: its image, and its first row and column of outputs.
struct TilePlace {
  int64_t image, row, column;

  TilePlace(const WinogradDivision& d, int64_t tile)
      : image(tile / (d.tiles_high * d.tiles_wide)),
        row(tile / d.tiles_wide % d.tiles_high * d.tile),
        column(tile % d.tiles_wide * d.tile) {}
};

inline int64_t winograd_lanes() {
  return static_cast<int64_t>(hwy::HWY_NAMESPACE::Lanes(WinogradTag()));
}

/// The vector at `from`, of which `left` floats are there; zeros behind them.
HWY_INLINE WinogradVector load_left(const float* from, int64_t left) {
  namespace hn = hwy::HWY_NAMESPACE;
  const WinogradTag d;
  if (left >= winograd_lanes()) return hn::LoadU(d, from);
  return load_first(hn::FirstN(d, static_cast<size_t>(left)), d, from);
}
HWY_INLINE void store_left(WinogradVector v, float* to, int64_t left) {
  namespace hn = hwy::HWY_NAMESPACE;
  const WinogradTag d;
  if (left >= winograd_lanes())
    hn::StoreU(v, d, to);
  else
    store_first(v, hn::FirstN(d, static_cast<size_t>(left)), d, to);
}

/// Images to take tiles of: channels [first, last) of all `channels`.
struct TiledImages {
  const float* data;
  Size2d size;
  Size2d padding;
  int64_t channels, first, last;
  const float* zeros;  ///< a pixel of as many channels, which stands for those outside
};

/// Where transformed tiles go: plane, tile, channel.
struct TilePlanes {
  float* data;
  int64_t plane, tile;  ///< floats from one to the next
};

/// Transforms the kFrom x kFrom pixels under each of the tiles [first, last).
template <int kFrom, int kTo, class Transform>
void transform_tiles(const WinogradDivision& d, int64_t first, int64_t last, const TiledImages& x,
                     const TilePlanes& planes, const Transform& transform) {
  float* to = planes.data;
  for (int64_t tile = first; tile < last; ++tile, to += planes.tile) {
    const TilePlace place(d, tile);
    const float* pixels[kFrom][kFrom];
    for (int64_t i = 0; i < kFrom; ++i) {
      const int64_t row = place.row + i - x.padding.height;
      for (int64_t j = 0; j < kFrom; ++j) {
        const int64_t column = place.column + j - x.padding.width;
        const bool inside = row >= 0 && row < x.size.height && column >= 0 && column < x.size.width;
        const int64_t pixel = (place.image * x.size.height + row) * x.size.width + column;
        pixels[i][j] = (inside ? x.data + pixel * x.channels : x.zeros) + x.first;
      }
    }
    const int64_t channels = x.last - x.first;
    for (int64_t c = 0; c < channels; c += winograd_lanes()) {
      transform_tile<kFrom, kTo>(
          [&](int i, int j) HWY_ATTR { return load_left(pixels[i][j] + c, channels - c); }, transform,
          [&](int i, int j, WinogradVector v) HWY_ATTR {
            hwy::HWY_NAMESPACE::StoreU(v, WinogradTag(), to + (i * kTo + j) * planes.plane + c);
          });
    }
  }
}

}  // namespace
}  // namespace espalier::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#endif
