#pragma once

#include <vector>

#include "ops/conv2d_internal.h"
#include "ops/int8_tiles_internal.h"

namespace espalier {

/// A convolution of 8-bit integers without groups, its weights packed. A linear layer is one, too, of images
/// of one pixel. Immutable: any number of threads may run one object at once, each with its own buffers.
class Int8Convolution {
 public:
  /// `weight`, i8, is row-major. The output has elements. Throws what Int8Finish throws.
  Int8Convolution(std::string_view name, const ConvSizes& sizes, const Int8Options& options,
                  const Tensor& weight, const Tensor& scales, const Tensor& bias);

  /// Bytes that a run needs for itself.
  size_t scratch_bytes() const;
  /// `x` has any layout, `residual` (undefined where there is none) and `y` lie channels-last in memory.
  /// `scratch` is aligned to 4.
  void run(const Tensor& x, const Tensor& residual, const Tensor& y, void* scratch) const;

 private:
  void pack(const int8_t* weight);
  void fill_runs();
  bool in_place(const Tensor& x) const;
  void run_tiles(const Int8Tiles& tiles) const;
  template <class Element>
  void spread(const Tensor& x, Element* image) const;

  const Int8Kernels& kernels_;
  ConvSizes sizes_;
  Int8Finish finish_;
  int32_t input_zero_point_;
  bool bytes_;
  int64_t pixel_words_;     ///< of a pixel of the image, its channels filled up to full words
  int64_t height_, width_;  ///< of the part of the padded image that is read
  std::vector<int64_t> runs_;
  int64_t run_words_;
  Tensor packed_, start_;
};

}  // namespace espalier
