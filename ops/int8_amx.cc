// Products of 8-bit integers on AMX. A register, here a square, holds 16 rows of 64 bytes: 16 words of each
// of 16 pixels; or of the packed weights 16 words for 16 output channels; or sums, of 16 pixels by 16
// channels. One instruction multiplies two squares: 16,384 multiply-adds in 16 cycles, 8 times what VNNI
// does.

#include <algorithm>
#include <cstring>

#include "ops/int8_tiles_internal.h"

// clang-format off: the order of these includes matters
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "ops/int8_amx.cc"
#include "core/highway_internal.h"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"
#include "ops/int8_finisher-inl.h"
// clang-format on

HWY_BEFORE_NAMESPACE();
namespace espalier::HWY_NAMESPACE {

#if HWY_ARCH_X86 && HWY_TARGET == HWY_AVX3
namespace {

constexpr int64_t kSquareRows = 16;
constexpr int64_t kGroupBlocks = 4;  // as the vectors' kernels of this target have it

/// Some pixels, from `from` on, the results of which are to be written from row `first` on.
struct PixelSquare {
  const char* from;
  int64_t pixel, first;
};

/// The pixels of a product in lines, in which neighbours are equally far from each other, and the lines in
/// squares of equally many rows. The last square of a line may repeat pixels of the one before it.
class PixelLines {
 public:
  explicit PixelLines(const Int8Tiles& p)
      : image_(p.image),
        image_step_(p.image_step),
        row_step_(p.row_step),
        step_(p.columns > 1 ? p.pixel_step : p.row_step),
        lines_of_image_(p.rows),
        length_(p.columns) {
    int64_t images = p.images;
    if (p.rows == 1 || p.row_step == p.columns * step_) {
      lines_of_image_ = 1;
      length_ *= p.rows;
      if (length_ == 1) step_ = p.image_step;
      if (images == 1 || p.image_step == length_ * step_) {
        length_ *= images;
        images = 1;
      }
    }
    line_squares_ = (length_ + kSquareRows - 1) / kSquareRows;
    rows_ = (length_ + line_squares_ - 1) / line_squares_;
    count_ = images * lines_of_image_ * line_squares_;
  }

  int64_t count() const { return count_; }         ///< of squares
  int64_t rows() const { return rows_; }           ///< of a square
  int64_t row_bytes() const { return 4 * step_; }  ///< from one to the next

  PixelSquare square(int64_t index) const {
    const int64_t line = index / line_squares_, first = index % line_squares_ * rows_;
    const int64_t start = std::min(first, length_ - rows_);
    const int64_t words = line / lines_of_image_ * image_step_ + line % lines_of_image_ * row_step_;
    return {image_ + 4 * (words + start * step_), line * length_ + start, first - start};
  }

 private:
  const char* image_;
  int64_t image_step_, row_step_, step_;
  int64_t lines_of_image_, length_, line_squares_, rows_, count_;
};

int64_t square_count(const Int8Tiles& p) {
  return PixelLines(p).count();
}

// The instructions are written out since compilers have no types for these registers and need none: they use
// none by themselves. Sums are in registers 0 to 3, pixels in 4 and 5, weights in 6 and 7.

template <int kSquare>
HWY_INLINE void load_square(const void* from, int64_t row_bytes) {
  asm volatile("tileloadd (%0,%1,1), %%tmm%c2" : : "r"(from), "r"(row_bytes), "i"(kSquare) : "memory");
}

template <int kSquare>
HWY_INLINE void store_square(void* to) {
  constexpr int64_t kRowBytes = 4 * kInt8Block;
  asm volatile("tilestored %%tmm%c2, (%0,%1,1)" : : "r"(to), "r"(kRowBytes), "i"(kSquare) : "memory");
}

template <int kSums, int kPixels, int kWeights>
HWY_INLINE void multiply_squares() {
  asm volatile("tdpbusd %%tmm%c2, %%tmm%c1, %%tmm%c0" : : "i"(kSums), "i"(kPixels), "i"(kWeights));
}

/// While it lives the thread's registers have the shapes of a product.
class SquareShapes {
 public:
  SquareShapes(int64_t rows, int64_t depth) {
    Configuration shapes;
    for (const int sums : {0, 1, 2, 3}) shapes.set(sums, rows, 4 * kInt8Block);
    for (const int pixels : {4, 5}) shapes.set(pixels, rows, 4 * depth);
    for (const int weights : {6, 7}) shapes.set(weights, depth, 4 * kInt8Block);
    asm volatile("ldtilecfg %0" : : "m"(shapes));
  }
  ~SquareShapes() { asm volatile("tilerelease"); }
  SquareShapes(const SquareShapes&) = delete;
  SquareShapes& operator=(const SquareShapes&) = delete;

 private:
  struct Configuration {
    uint8_t palette = 1, start_row = 0, reserved[14] = {};
    uint16_t row_bytes[16] = {};
    uint8_t rows[16] = {};

    void set(int square, int64_t row_count, int64_t bytes) {
      rows[square] = static_cast<uint8_t>(row_count);
      row_bytes[square] = static_cast<uint16_t>(bytes);
    }
  };
  static_assert(sizeof(Configuration) == 64);
};

/// The sums of a square of pixels for one block of output channels.
using SquareSums = int32_t[kSquareRows * kInt8Block];

/// Turns sums of a full group into bytes: what Int8Finisher does, for 64 channels of a pixel at once, which a
/// line of the cache holds. Block by block takes 1.2 times as long.
class GroupFinisher {
 public:
  HWY_INLINE GroupFinisher(const Int8Tiles& p, int64_t block)
      : outputs_(p.outputs),
        residual_(p.residual ? p.residual + block * kInt8Block : nullptr),
        y_(static_cast<uint8_t*>(p.y) + block * kInt8Block) {
    const Int8Finish& f = *p.finish;
    for (int64_t b = 0; b < kGroupBlocks; ++b) {
      multiplier_[b] = hn::LoadU(Numbers(), f.multiplier + (block + b) * kInt8Block);
      shift_[b] = hn::LoadU(Numbers(), f.shift + (block + b) * kInt8Block);
    }
    low_ = hn::Set(Numbers(), f.low);
    zero_point_ = hn::Set(Int8Sums(), f.zero_point - kInt8RounderBits);
    residual_multiplier_ = hn::Set(Numbers(), f.residual_multiplier);
    residual_zero_point_ = hn::Set(Int8Sums(), f.residual_zero_point);
  }

  /// The pixels of a square, from their sums for each block.
  HWY_INLINE void operator()(const SquareSums* sums, const PixelSquare& pixels, int64_t rows) const {
    if (residual_)
      write<true>(sums, pixels, rows);
    else
      write<false>(sums, pixels, rows);
  }

 private:
  using Numbers = hn::RebindToFloat<Int8Sums>;
  using Number = hn::Vec<Numbers>;

  template <bool kResidual>
  HWY_INLINE void write(const SquareSums* sums, const PixelSquare& pixels, int64_t rows) const {
    // Packing works on quarters of vectors: quarter i has 4 channels of each block.
    // With a mask since GCC 12 warns of the one without.
    constexpr __mmask16 kAll = 0xffff;
    const __m512i order = _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
    for (int64_t row = pixels.first; row < rows; ++row) {
      const int64_t place = (pixels.pixel + row) * outputs_;
      __m512i q[kGroupBlocks];
#pragma GCC unroll 4
      for (int64_t b = 0; b < kGroupBlocks; ++b) {
        const uint8_t* const residual = kResidual ? residual_ + place + b * kInt8Block : nullptr;
        q[b] = rounded<kResidual>(b, sums[b] + row * kInt8Block, residual).raw;
      }
      const __m512i first = _mm512_packs_epi32(q[0], q[1]), second = _mm512_packs_epi32(q[2], q[3]);
      const __m512i bytes = _mm512_packus_epi16(first, second);
      _mm512_storeu_si512(y_ + place, _mm512_maskz_permutexvar_epi32(kAll, order, bytes));
    }
  }

  template <bool kResidual>
  HWY_INLINE Int8Sum rounded(int64_t block, const int32_t* sums, const uint8_t* residual) const {
    Number y = hn::ConvertTo(Numbers(), hn::Load(Int8Sums(), sums));
    y = hn::Add(hn::Mul(y, multiplier_[block]), shift_[block]);
    if constexpr (kResidual) {
      const hn::Rebind<uint8_t, Int8Sums> bytes;
      const Int8Sum r = hn::Sub(hn::PromoteTo(Int8Sums(), hn::LoadU(bytes, residual)), residual_zero_point_);
      y = hn::Add(y, hn::Mul(hn::ConvertTo(Numbers(), r), residual_multiplier_));
    }
    // Above the bound, too, the bits grow with the number, and packing cuts them off.
    y = hn::Add(hn::Max(y, low_), hn::Set(Numbers(), kInt8Rounder));
    return hn::Add(hn::BitCast(Int8Sums(), y), zero_point_);
  }

  int64_t outputs_;
  const uint8_t* residual_;
  uint8_t* y_;
  Number multiplier_[kGroupBlocks], shift_[kGroupBlocks], low_, residual_multiplier_;
  Int8Sum zero_point_, residual_zero_point_;
};

/// A product, and what is the same for all of its squares.
class SquareProduct {
 public:
  explicit SquareProduct(const Int8Tiles& p) : p_(p), lines_(p), depth_(int8_amx_depth(p.run_words)) {}

  void run(const Int8Part& part) {
    const SquareShapes shapes(lines_.rows(), depth_);
    for (int64_t group = part.first_group; group < part.last_group; ++group) {
      for (int64_t square = part.first_tile; square < part.last_tile; square += 2) {
        const PixelSquare first = lines_.square(square);
        if (square + 1 < part.last_tile)
          run_group<2>(group * kGroupBlocks, {first, lines_.square(square + 1)});
        else
          run_group<1>(group * kGroupBlocks, {first, first});
      }
    }
  }

 private:
  using Pair = PixelSquare[2];

  /// `squares` squares of pixels by the blocks from `first` on.
  template <int squares>
  void run_group(int64_t first, const Pair& pixels) {
    const int64_t blocks = std::min(kGroupBlocks, p_.blocks() - first);
    const int32_t* const packed = p_.packed + first * kInt8Block * p_.words();
    for (int64_t block = 0; block < blocks; block += 2) {
      const int32_t* const start = p_.start + (first + block) * kInt8Block;
      if (block + 1 < blocks)
        multiply<squares, 2>(block, start, packed + block * kInt8Block, blocks * kInt8Block, pixels);
      else
        multiply<squares, 1>(block, start, packed + block * kInt8Block, blocks * kInt8Block, pixels);
    }
    const bool full = (first + kGroupBlocks) * kInt8Block <= p_.outputs;
    if (full && p_.bytes) {
      const GroupFinisher finish(p_, first);
      for (int s = 0; s < squares; ++s) finish(sums_[s], pixels[s], lines_.rows());
      return;
    }
    for (int64_t block = 0; block < blocks; ++block) {
      const Int8Finisher finish(p_, first + block);
      for (int s = 0; s < squares; ++s) {
        const auto& [from, pixel, skipped] = pixels[s];
        finish(sums_[s][block] + skipped * kInt8Block, pixel + skipped, lines_.rows() - skipped);
      }
    }
  }

  /// The sums of `squares` squares of pixels and `blocks` blocks, from `block` of a group on: `start` and
  /// `packed` are theirs, `word_step` is from one word to the next in `packed`.
  template <int squares, int blocks>
  void multiply(int64_t block, const int32_t* start, const int32_t* packed, int64_t word_step,
                const Pair& pixels) {
    load_square<0>(start, 0);
    if constexpr (blocks == 2) load_square<1>(start + kInt8Block, 0);
    if constexpr (squares == 2) load_square<2>(start, 0);
    if constexpr (squares == 2 && blocks == 2) load_square<3>(start + kInt8Block, 0);
    for (int64_t run = 0; run < p_.run_count; ++run) {
      const int64_t end = 4 * (p_.runs[run] + p_.run_words);
      for (int64_t at = 4 * p_.runs[run]; at < end; at += 4 * depth_, packed += depth_ * word_step) {
        load_square<4>(pixels[0].from + at, lines_.row_bytes());
        load_square<6>(packed, 4 * word_step);
        multiply_squares<0, 4, 6>();
        if constexpr (blocks == 2) {
          load_square<7>(packed + kInt8Block, 4 * word_step);
          multiply_squares<1, 4, 7>();
        }
        if constexpr (squares == 2) {
          load_square<5>(pixels[1].from + at, lines_.row_bytes());
          multiply_squares<2, 5, 6>();
          if constexpr (blocks == 2) multiply_squares<3, 5, 7>();
        }
      }
    }
    store_square<0>(sums_[0][block]);
    if constexpr (blocks == 2) store_square<1>(sums_[0][block + 1]);
    if constexpr (squares == 2) store_square<2>(sums_[1][block]);
    if constexpr (squares == 2 && blocks == 2) store_square<3>(sums_[1][block + 1]);
  }

  const Int8Tiles& p_;
  PixelLines lines_;
  int64_t depth_;
  HWY_ALIGN SquareSums sums_[2][kGroupBlocks];
};

void run_squares_of(const Int8Tiles& p, const Int8Part& part) {
  SquareProduct(p).run(part);
}

}  // namespace
#endif

const Int8Kernels* int8_amx_kernels_of_target() {
#if HWY_ARCH_X86 && HWY_TARGET == HWY_AVX3
  static constexpr Int8Kernels kSquares = {4, kGroupBlocks, square_count, run_squares_of};
  if (cpu_has_amx_int8()) return &kSquares;
#endif
  return nullptr;
}

}  // namespace espalier::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace espalier {

HWY_EXPORT(int8_amx_kernels_of_target);

int64_t int8_amx_depth(int64_t run_words) {
  constexpr int64_t kRowWords = 16;
  int64_t depth = std::min(kRowWords, run_words);
  while (run_words % depth != 0) --depth;
  return depth;
}

const Int8Kernels* int8_amx_kernels() {
  return ESPALIER_DISPATCH(int8_amx_kernels_of_target)();
}

}  // namespace espalier
#endif
