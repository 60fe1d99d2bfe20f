// Products of 8-bit integers, a tile at a time: some pixels by some blocks of output channels, whose sums
// stay in registers. Each word of the image is broadcast and meets the words of 16 output channels in a
// vector.

#include <algorithm>
#include <cstring>

#include "ops/int8_tiles_internal.h"

// clang-format off: the order of these includes matters
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "ops/int8_tiles.cc"
#include "core/highway_internal.h"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"
#include "ops/int8_finisher-inl.h"
// clang-format on

HWY_BEFORE_NAMESPACE();
namespace espalier::HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;

using Sums = Int8Sums;
using Sum = Int8Sum;
constexpr int64_t kLanes = kInt8Lanes, kVectors = kInt8Vectors;

/// A word of two i16.
struct Pairs {
  static constexpr int64_t kElements = 2;

  static HWY_INLINE Sum add_products(Sum sum, Sum image, Sum weights) {
#if HWY_ARCH_X86
    const hn::Repartition<int16_t, Sums> pairs;
    Sum rest = hn::Zero(Sums());  // x86 needs none
    return hn::ReorderWidenMulAccumulate(Sums(), hn::BitCast(pairs, image), hn::BitCast(pairs, weights), sum,
                                         rest);
#else
    const auto high = hn::Mul(hn::ShiftRight<16>(image), hn::ShiftRight<16>(weights));
    const auto low =
        hn::Mul(hn::ShiftRight<16>(hn::ShiftLeft<16>(image)), hn::ShiftRight<16>(hn::ShiftLeft<16>(weights)));
    return hn::Add(sum, hn::Add(high, low));
#endif
  }
};

#if HWY_ARCH_X86 && HWY_TARGET <= HWY_AVX3
#define ESPALIER_HAS_QUADS 1

/// A word of four u8 or i8. The instruction is written out since no target of Highway 1.0 has AVX-512 VNNI.
struct Quads {
  static constexpr int64_t kElements = 4;

  static HWY_INLINE Sum add_products(Sum sum, Sum image, Sum weights) {
    asm("vpdpbusd %2, %1, %0" : "+v"(sum.raw) : "v"(image.raw), "v"(weights.raw));
    return sum;
  }
};
#else
#define ESPALIER_HAS_QUADS 0
#endif

// Of AVX-512's 32 vectors up to 24 hold sums, of AVX2's 16 (two a block) 12, of SSE4's (four a block) 8. More
// than 8 pixels need more addresses than there are registers for: 12 are no faster.
constexpr int64_t kGroupBlocks = HWY_MAX_BYTES >= 64 ? 4 : 1;
constexpr int64_t tile_pixels(int64_t blocks) {
  if (HWY_MAX_BYTES < 32) return 2;
  return HWY_MAX_BYTES < 64 || blocks == 4 ? 6 : 8;
}

/// Pixels of the tiles of a product: the same for all of its groups.
int64_t tile_pixels(const Int8Tiles& p) {
  return p.pixels() == 1 ? 1 : tile_pixels(std::min(p.blocks(), kGroupBlocks));
}

int64_t tile_count(const Int8Tiles& p) {
  const int64_t pixels = tile_pixels(p);
  return (p.pixels() + pixels - 1) / pixels;
}

/// The four bytes there, which may have any alignment.
HWY_INLINE int32_t word_at(const char* from) {
  int32_t word;
  std::memcpy(&word, from, sizeof word);
  return word;
}

/// Pixels from `pixel` on, `count` of them, by `kBlocks` blocks from `block` on. Where there are fewer pixels
/// than the tile has, the last one is computed several times.
template <class Words, int64_t kPixels, int64_t kBlocks>
HWY_NOINLINE void run_tile(const Int8Tiles& p, int64_t block, int64_t pixel, int64_t count) {
  const Sums d;
  constexpr int64_t kWidth = kBlocks * kVectors;
  const char* from[kPixels];
  int64_t row = pixel / p.columns, column = pixel % p.columns;
  const auto place = [&] {
    return p.image + 4 * (row / p.rows * p.image_step + row % p.rows * p.row_step + column * p.pixel_step);
  };
  const char* next = place();
  for (int64_t i = 0; i < kPixels; ++i) {
    from[i] = next;
    if (i + 1 >= count) continue;
    next += 4 * p.pixel_step;
    if (++column < p.columns) continue;
    column = 0;
    ++row;
    next = place();
  }
  Sum sums[kPixels][kWidth];
#pragma GCC unroll 16
  for (int64_t i = 0; i < kPixels; ++i) {
#pragma GCC unroll 16
    for (int64_t v = 0; v < kWidth; ++v) sums[i][v] = hn::LoadU(d, p.start + block * kInt8Block + v * kLanes);
  }
  const int32_t* packed = p.packed + block * kInt8Block * p.words();
  for (int64_t run = 0; run < p.run_count; ++run) {
    const int64_t first = p.runs[run];
    for (int64_t word = first; word < first + p.run_words; ++word, packed += kBlocks * kInt8Block) {
      Sum weights[kWidth];
#pragma GCC unroll 16
      for (int64_t v = 0; v < kWidth; ++v) weights[v] = hn::LoadU(d, packed + v * kLanes);
#pragma GCC unroll 16
      for (int64_t i = 0; i < kPixels; ++i) {
        const Sum numbers = hn::Set(d, word_at(from[i] + 4 * word));
#pragma GCC unroll 16
        for (int64_t v = 0; v < kWidth; ++v)
          sums[i][v] = Words::add_products(sums[i][v], numbers, weights[v]);
      }
    }
  }
#pragma GCC unroll 16
  for (int64_t b = 0; b < kBlocks; ++b) {
    const Int8Finisher finish(p, block + b);
#pragma GCC unroll 16
    for (int64_t i = 0; i < kPixels; ++i) {
      if (i < count) finish(sums[i] + b * kVectors, pixel + i);
    }
  }
}

/// Some tiles of a group: one after the other, so that its weights stay in the cache.
template <class Words, int64_t kPixels, int64_t kBlocks>
void run_group(const Int8Tiles& p, int64_t block, int64_t first, int64_t last) {
  for (int64_t tile = first; tile < last; ++tile) {
    const int64_t pixel = tile * kPixels;
    run_tile<Words, kPixels, kBlocks>(p, block, pixel, std::min(kPixels, p.pixels() - pixel));
  }
}

template <class Words, int64_t kPixels>
void run_groups(const Int8Tiles& p, const Int8Part& part) {
  for (int64_t group = part.first_group; group < part.last_group; ++group) {
    const int64_t block = group * kGroupBlocks, first = part.first_tile, last = part.last_tile;
    switch (std::min(kGroupBlocks, p.blocks() - block)) {
      case 1:
        run_group<Words, kPixels, 1>(p, block, first, last);
        break;
#if HWY_MAX_BYTES >= 64
      case 2:
        run_group<Words, kPixels, 2>(p, block, first, last);
        break;
      case 3:
        run_group<Words, kPixels, 3>(p, block, first, last);
        break;
      case 4:
        if constexpr (kPixels <= tile_pixels(4)) run_group<Words, kPixels, 4>(p, block, first, last);
        break;
#endif
      default:
        break;  // there are no others
    }
  }
}

template <class Words>
void run_part(const Int8Tiles& p, const Int8Part& part) {
  constexpr int64_t kFew = tile_pixels(kGroupBlocks), kMany = tile_pixels(1);
  const int64_t pixels = tile_pixels(p);
  if (pixels == 1)
    run_groups<Words, 1>(p, part);
  else if (pixels == kFew)
    run_groups<Words, kFew>(p, part);
  else
    run_groups<Words, kMany>(p, part);
}

}  // namespace

const Int8Kernels* int8_vector_kernels_of_target() {
#if ESPALIER_HAS_QUADS
  static const bool has_vnni = __builtin_cpu_supports("avx512vnni");
  static constexpr Int8Kernels kQuads = {Quads::kElements, kGroupBlocks, tile_count, run_part<Quads>};
  if (has_vnni) return &kQuads;
#endif
  static constexpr Int8Kernels kPairs = {Pairs::kElements, kGroupBlocks, tile_count, run_part<Pairs>};
  return &kPairs;
}

}  // namespace espalier::HWY_NAMESPACE
#undef ESPALIER_HAS_QUADS
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace espalier {

HWY_EXPORT(int8_vector_kernels_of_target);

const Int8Kernels* int8_vector_kernels() {
  return ESPALIER_DISPATCH(int8_vector_kernels_of_target)();
}

}  // namespace espalier
#endif
