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
// clang-format on

HWY_BEFORE_NAMESPACE();
namespace espalier::HWY_NAMESPACE {
namespace {

namespace hn = hwy::HWY_NAMESPACE;

using Sums = hn::CappedTag<int32_t, kInt8Block>;
using Sum = hn::Vec<Sums>;
constexpr auto kLanes = static_cast<int64_t>(hn::MaxLanes(Sums()));
constexpr int64_t kVectors = kInt8Block / kLanes;  // of a block

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

/// Turns sums into results, for one block of output channels. It has all that is read for it, since a store
/// of bytes could, for what the compiler knows, change everything that is not a local variable.
class Finisher {
 public:
  HWY_INLINE Finisher(const Int8Tiles& p, int64_t block)
      : outputs_(p.outputs),
        channel_(block * kInt8Block),
        left_(std::min(kInt8Block, p.outputs - channel_)),
        residual_(p.residual),
        y_(p.y),
        bytes_(p.bytes) {
    const Numbers df;
    const Int8Finish& f = *p.finish;
    for (int64_t v = 0; v < kVectors; ++v) {
      const auto at = static_cast<size_t>(channel_ + v * kLanes);
      multiplier_[v] = hn::LoadU(df, f.multiplier + at);
      shift_[v] = hn::LoadU(df, f.shift + at);
    }
    low_ = hn::Set(df, f.low);
    high_ = hn::Set(df, f.high);
    zero_point_ = hn::Set(Sums(), f.zero_point - kRounderBits);
    residual_multiplier_ = hn::Set(df, f.residual_multiplier);
    residual_zero_point_ = hn::Set(Sums(), f.residual_zero_point);
  }

  /// The results of a pixel, from its sums.
  HWY_INLINE void operator()(const Sum* sums, int64_t pixel) const {
    const int64_t place = pixel * outputs_ + channel_;
    if (left_ == kInt8Block) {
      const uint8_t* const residual = residual_ ? residual_ + place : nullptr;
      if (bytes_)
        put(sums, residual, static_cast<uint8_t*>(y_) + place);
      else
        put(sums, residual, static_cast<float*>(y_) + place);
      return;
    }
    HWY_ALIGN uint8_t bytes[kInt8Block] = {};
    const auto left = static_cast<size_t>(left_);
    if (residual_) std::memcpy(bytes, residual_ + place, left);
    if (bytes_) {
      put(sums, residual_ ? bytes : nullptr, bytes);
      std::memcpy(static_cast<uint8_t*>(y_) + place, bytes, left);
    } else {
      HWY_ALIGN float numbers[kInt8Block];
      put(sums, residual_ ? bytes : nullptr, numbers);
      std::memcpy(static_cast<float*>(y_) + place, numbers, left * sizeof(float));
    }
  }

 private:
  using Numbers = hn::RebindToFloat<Sums>;
  using Number = hn::Vec<Numbers>;
  static constexpr float kRounder = 0x1.8p23f;
  static constexpr int32_t kRounderBits = 0x4b400000;

  template <class T>
  HWY_INLINE void put(const Sum* sums, const uint8_t* residual, T* to) const {
    const Sums d;
    const Numbers df;
    const hn::Rebind<uint8_t, Sums> d8;
    for (int64_t v = 0; v < kVectors; ++v) {
      Number y = hn::Add(hn::Mul(hn::ConvertTo(df, sums[v]), multiplier_[v]), shift_[v]);
      if (residual) {
        const Sum r = hn::Sub(hn::PromoteTo(d, hn::LoadU(d8, residual + v * kLanes)), residual_zero_point_);
        y = hn::Add(y, hn::Mul(hn::ConvertTo(df, r), residual_multiplier_));
      }
      y = hn::Min(hn::Max(y, low_), high_);
      if constexpr (sizeof(T) == 1) {
        // Near 1.5 * 2^23 the numbers of f32 are integers: a sum with it is rounded, ties to even, and its
        // last bits are the integer. y is no larger than 255.
        const Sum q = hn::Add(hn::BitCast(d, hn::Add(y, hn::Set(df, kRounder))), zero_point_);
        hn::StoreU(hn::TruncateTo(d8, hn::BitCast(hn::RebindToUnsigned<Sums>(), q)), d8, to + v * kLanes);
      } else {
        hn::StoreU(y, df, to + v * kLanes);
      }
    }
  }

  int64_t outputs_, channel_, left_;
  const uint8_t* residual_;
  void* y_;
  bool bytes_;
  Number multiplier_[kVectors], shift_[kVectors], low_, high_, residual_multiplier_;
  Sum zero_point_, residual_zero_point_;
};

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
    const Finisher finish(p, block + b);
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

const Int8Kernels& int8_kernels_of_target() {
#if ESPALIER_HAS_QUADS
  static const bool has_vnni = __builtin_cpu_supports("avx512vnni");
  static constexpr Int8Kernels kQuads = {Quads::kElements, kGroupBlocks, tile_count, run_part<Quads>};
  if (has_vnni) return kQuads;
#endif
  static constexpr Int8Kernels kPairs = {Pairs::kElements, kGroupBlocks, tile_count, run_part<Pairs>};
  return kPairs;
}

}  // namespace espalier::HWY_NAMESPACE
#undef ESPALIER_HAS_QUADS
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace espalier {

HWY_EXPORT(int8_kernels_of_target);

const Int8Kernels& int8_kernels() {
  return ESPALIER_DISPATCH(int8_kernels_of_target)();
}

}  // namespace espalier
#endif
