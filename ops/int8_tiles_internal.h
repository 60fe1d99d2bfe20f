#pragma once

#include <cstdint>

#include "ops/int8_product_internal.h"

namespace espalier {

// The inner part of products of 8-bit integers: sums over words, which are 4 bytes of an image that lie side
// by side, times packed weights. A word has four u8 where the CPU multiplies u8 by i8 and adds four products
// to an i32 (AVX-512 VNNI), else two i16: so there is no instruction in it that saturates.

/// Output channels fall into blocks of 16.
inline constexpr int64_t kInt8Block = 16;

/// A product brought to words. Pixel p, of image n, row h, column w of the result, is the sum over all runs r
/// of the words from image + n image_step + h row_step + w pixel_step + runs[r] on, `run_words` of them.
struct Int8Tiles {
  const char* image = nullptr;
  /// Group after group (of group_blocks blocks, the last one of what is left); in a group word after word;
  /// for each word block after block, and in a block 16 words, one an output channel.
  const int32_t* packed = nullptr;
  const int32_t* start = nullptr;  ///< what the sums of each output channel begin with; full blocks
  const int64_t* runs = nullptr;
  int64_t run_count = 0, run_words = 0;
  int64_t image_step = 0, row_step = 0, pixel_step = 0;
  int64_t images = 0, rows = 0, columns = 0;
  int64_t outputs = 0;
  const Int8Finish* finish = nullptr;  ///< multiplier and shift have full blocks
  const uint8_t* residual = nullptr;   ///< channels-last, or null
  void* y = nullptr;                   ///< channels-last
  bool bytes = false;                  ///< y is u8, else f32

  int64_t pixels() const { return images * rows * columns; }
  int64_t blocks() const { return (outputs + kInt8Block - 1) / kInt8Block; }
  int64_t words() const { return run_count * run_words; }
};

/// The tiles [first_tile, last_tile) of pixels by the groups [first_group, last_group) of output channels.
struct Int8Part {
  int64_t first_group, last_group, first_tile, last_tile;
};

/// The kernels of one instruction set. What was packed for one must be run by it.
struct Int8Kernels {
  int64_t word_elements;                    ///< 4: of u8 and i8; 2: of i16
  int64_t group_blocks;                     ///< blocks whose weights lie together
  int64_t (*tile_count)(const Int8Tiles&);  ///< tiles that the pixels fall into
  void (*run)(const Int8Tiles&, const Int8Part&);
};

/// What multiplies.
enum class Int8Unit {
  vectors,  ///< VNNI, or what the CPU has in its place
  amx,      ///< registers of 16 rows of 64 bytes: Intel Software Developer's Manual 1, chapter 18
};

/// The kernels of `unit` at the CPU's level; null where it has no such unit.
const Int8Kernels* int8_kernels(Int8Unit unit);
const Int8Kernels* int8_vector_kernels();
const Int8Kernels* int8_amx_kernels();

/// Words of a pixel that AMX multiplies at once: the most, no more than a register's row has, that divide a
/// run.
int64_t int8_amx_depth(int64_t run_words);

}  // namespace espalier
