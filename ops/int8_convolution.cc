#include <algorithm>
#include <cstring>

#include "core/parallel.h"
#include "ops/int8_convolution_internal.h"
#include "ops/layout_internal.h"

namespace espalier {
namespace {

/// Pixels that the windows of an axis reach from the first one's start on.
int64_t extent(const WindowAxis& axis, int64_t windows) {
  return (windows - 1) * axis.stride + (axis.taps - 1) * axis.dilation + 1;
}

/// Words of the pixels under the taps that are neighbours in a row of the image.
int64_t words_of_run(const ConvSizes& sizes, int64_t pixel_words) {
  return sizes.columns.dilation == 1 ? sizes.columns.taps * pixel_words : pixel_words;
}

/// `count` pixels of `channels` neighbours, at `from`, to pixels of `width` elements, the rest of which is
/// `fill`.
template <class Element>
void copy_pixels(const uint8_t* from, int64_t pixel_stride, int64_t channel_stride, int64_t channels,
                 int64_t count, Element fill, int64_t width, Element* to) {
  for (int64_t i = 0; i < count; ++i, from += pixel_stride, to += width) {
    for (int64_t c = 0; c < channels; ++c) to[c] = from[c * channel_stride];
    for (int64_t c = channels; c < width; ++c) to[c] = fill;
  }
}

}  // namespace

const Int8Kernels* int8_kernels(Int8Unit unit) {
  return unit == Int8Unit::amx ? int8_amx_kernels() : int8_vector_kernels();
}

const char* int8_amx_yields(const ConvSizes& sizes) {
  // Below these bounds vectors take 0.3 to 0.9 of the time (Xeon, Emerald Rapids, layers of 64 to 1024
  // channels); above them mostly more than AMX, up to 4 times.
  constexpr int64_t kFewWords = 3, kFewPixels = 8;
  if (sizes.y[0] * sizes.y[2] * sizes.y[3] < kFewPixels) return "few pixels: reading the weights decides";
  const int64_t words = words_of_run(sizes, (sizes.x[1] + 3) / 4);
  return int8_amx_depth(words) < kFewWords ? "channels do not divide into rows of registers" : nullptr;
}

Int8Convolution::Int8Convolution(std::string_view name, Int8Unit unit, const ConvSizes& sizes,
                                 const Int8Options& options, const int8_t* weight, const Tensor& scales,
                                 const Tensor& bias, Workspace& work)
    : kernels_(*int8_kernels(unit)),
      sizes_(sizes),
      finish_(name, options, scales, bias, blocks() * kInt8Block, work),
      input_zero_point_(static_cast<int32_t>(options.input.zero_point)),
      bytes_(options.output_dtype == Dtype::u8),
      pixel_words_((sizes.x[1] + kernels_.word_elements - 1) / kernels_.word_elements),
      height_(extent(sizes.rows, sizes.y[2])),
      width_(extent(sizes.columns, sizes.y[3])) {
  // Strides and paddings may reach far beyond what there is to read.
  checked_count({sizes.x[0], height_, width_, pixel_words_, 4}, name);
  run_words_ = words_of_run(sizes, pixel_words_);
  run_count_ = words() / run_words_;
  runs_ = work.take<int64_t>(run_count_);
  packed_ = work.take<int32_t>(blocks() * words() * kInt8Block);
  start_ = work.take<int32_t>(blocks() * kInt8Block);
  if (!packed_) return;
  fill_runs();
  pack(weight);
}

void Int8Convolution::fill_runs() {
  const int64_t of_row = run_count_ / sizes_.rows.taps;
  for (int64_t run = 0; run < run_count_; ++run) {
    const int64_t i = run / of_row, j = run % of_row;
    runs_[run] = (i * sizes_.rows.dilation * width_ + j * sizes_.columns.dilation) * pixel_words_;
  }
}

void Int8Convolution::pack(const int8_t* weight) {
  const int64_t outputs = sizes_.weight[0], channels = sizes_.weight[1];
  const int64_t taps = sizes_.rows.taps * sizes_.columns.taps, each = kernels_.word_elements;
  std::fill_n(packed_, blocks() * words() * kInt8Block, 0);
  std::fill_n(start_, blocks() * kInt8Block, 0);
  auto* const packed = reinterpret_cast<char*>(packed_);
  for (int64_t o = 0; o < outputs; ++o) {
    const int64_t block = o / kInt8Block, group = block / kernels_.group_blocks * kernels_.group_blocks;
    const int64_t together = std::min(kernels_.group_blocks, blocks() - group);
    int32_t sum = 0;
    for (int64_t c = 0; c < channels; ++c) {
      for (int64_t tap = 0; tap < taps; ++tap) {
        const int8_t value = weight[(o * channels + c) * taps + tap];
        sum += value;
        const int64_t word = tap * pixel_words_ + c / each;
        const int64_t place =
            (group * words() + word * together + block - group) * kInt8Block + o % kInt8Block;
        char* const to = packed + place * 4;
        if (each == 4) {
          std::memcpy(to + c % 4, &value, 1);
        } else {
          const int16_t wide = value;
          std::memcpy(to + c % 2 * 2, &wide, 2);
        }
      }
    }
    start_[o] = -input_zero_point_ * sum;  // so that sums are of x less its zero point
  }
}

bool Int8Convolution::is_channels_last(const Int8Image& x) const {
  return espalier::is_channels_last(sizes_.x, x.strides);
}

/// Whether the image can be read where it lies.
bool Int8Convolution::in_place(const Int8Image& x) const {
  return kernels_.word_elements == 4 && sizes_.x[1] % 4 == 0 && sizes_.rows.padding == 0 &&
         sizes_.columns.padding == 0 && width_ == sizes_.x[3] && is_channels_last(x);
}

size_t Int8Convolution::scratch_bytes() const {
  return static_cast<size_t>(sizes_.x[0] * height_ * width_ * pixel_words_) * 4;
}

/// Writes the image with its padding, channels-last, in words.
template <class Element>
void Int8Convolution::spread(const Int8Image& x, Element* image) const {
  const uint8_t* const from = x.data;
  const auto fill = static_cast<Element>(input_zero_point_);
  const int64_t top = sizes_.rows.padding, left = sizes_.columns.padding, channels = sizes_.x[1];
  const int64_t each = pixel_words_ * 4 / static_cast<int64_t>(sizeof(Element));
  const int64_t inside = std::clamp<int64_t>(width_ - left, 0, sizes_.x[3]);
  const bool rows_alike = sizeof(Element) == 1 && each == channels && is_channels_last(x);
  const int64_t row_elements = width_ * each, head = std::min(left, width_) * each;
  const auto fill_row = [&](int64_t index) {
    const int64_t n = index / height_, row = index % height_ - top;
    Element* const to = image + index * row_elements;
    if (row < 0 || row >= sizes_.x[2]) {
      std::fill_n(to, row_elements, fill);
      return;
    }
    std::fill_n(to, head, fill);
    const uint8_t* const pixels = from + n * x.strides[0] + row * x.strides[2];
    if (rows_alike)
      std::memcpy(to + head, pixels, static_cast<size_t>(inside * each));
    else
      copy_pixels(pixels, x.strides[3], x.strides[1], channels, inside, fill, each, to + head);
    std::fill(to + head + inside * each, to + row_elements, fill);
  };
  // Not for the work, of which there is little, but since what a thread writes lies in its own cache when its
  // tiles read it: two threads of an EPYC 9004 take 1.2 times as long where one writes all.
  constexpr int64_t kPart = 4096;
  parallel_for(0, sizes_.x[0] * height_, std::max<int64_t>(1, kPart / row_elements),
               [&](int64_t first, int64_t last) {
                 for (int64_t i = first; i < last; ++i) fill_row(i);
               });
}

void Int8Convolution::run(const Int8Image& x, const uint8_t* residual, void* y, void* scratch) const {
  Int8Tiles tiles;
  tiles.image_step = height_ * width_ * pixel_words_;
  tiles.image = static_cast<const char*>(scratch);
  if (in_place(x)) {
    tiles.image = reinterpret_cast<const char*>(x.data);
    tiles.image_step = sizes_.x[2] * sizes_.x[3] * pixel_words_;
  } else if (kernels_.word_elements == 4) {
    spread(x, static_cast<uint8_t*>(scratch));
  } else {
    spread(x, static_cast<int16_t*>(scratch));
  }
  tiles.packed = packed_;
  tiles.start = start_;
  tiles.runs = runs_;
  tiles.run_count = run_count_;
  tiles.run_words = run_words_;
  tiles.row_step = sizes_.rows.stride * width_ * pixel_words_;
  tiles.pixel_step = sizes_.columns.stride * pixel_words_;
  tiles.images = sizes_.y[0];
  tiles.rows = sizes_.y[2];
  tiles.columns = sizes_.y[3];
  tiles.outputs = sizes_.y[1];
  tiles.finish = &finish_;
  tiles.residual = residual;
  tiles.y = y;
  tiles.bytes = bytes_;
  run_tiles(tiles);
}

void Int8Convolution::run_tiles(const Int8Tiles& tiles) const {
  const int64_t count = kernels_.tile_count(tiles);
  const int64_t groups = (tiles.blocks() + kernels_.group_blocks - 1) / kernels_.group_blocks;
  // Sixteen multiply-adds of bytes take as long as a simple operation on floats.
  const int64_t work = tiles.pixels() * tiles.outputs * tiles.words() / 4;
  const auto grain = [&](int64_t parts) {
    return std::max<int64_t>(1, kSerialWork * parts / std::max<int64_t>(work, 1));
  };
  // Threads share what there is more of: images by their pixels, which the next layer's threads read
  // likewise, single rows by the weights.
  if (groups > count) {
    parallel_for(0, groups, grain(groups),
                 [&](int64_t first, int64_t last) { kernels_.run(tiles, {first, last, 0, count}); });
  } else {
    parallel_for(0, count, grain(count),
                 [&](int64_t first, int64_t last) { kernels_.run(tiles, {0, groups, first, last}); });
  }
}

}  // namespace espalier
