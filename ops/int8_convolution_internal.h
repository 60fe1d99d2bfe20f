#pragma once

#include "ops/conv2d_internal.h"
#include "ops/int8_tiles_internal.h"

namespace espalier {

/// The elements of an image, and where they are.
struct Int8Image {
  const uint8_t* data;
  Strides strides;

  Int8Image(const uint8_t* data_, const Strides& strides_) : data(data_), strides(strides_) {}
  explicit Int8Image(const Tensor& image)
      : Int8Image(static_cast<const uint8_t*>(image.raw_data()), image.strides()) {}
};

/// A convolution of 8-bit integers without groups, its weights packed. A linear layer is one, too, of images
/// of one pixel. Immutable: any number of threads may run one object at once, each with its own buffers.
class Int8Convolution {
 public:
  /// `weight`, row-major, is packed for `unit`, which the CPU has, to memory from `work`. The output has
  /// elements. Throws what Int8Finish throws.
  Int8Convolution(std::string_view name, Int8Unit unit, const ConvSizes& sizes, const Int8Options& options,
                  const int8_t* weight, const Tensor& scales, const Tensor& bias, Workspace& work);

  /// Bytes that a run needs for itself.
  size_t scratch_bytes() const;
  /// `x` has any layout, `residual` (null where there is none) and `y` lie channels-last in memory.
  /// `scratch` is aligned to 4.
  void run(const Int8Image& x, const uint8_t* residual, void* y, void* scratch) const;

 private:
  int64_t blocks() const { return (sizes_.weight[0] + kInt8Block - 1) / kInt8Block; }
  int64_t words() const { return sizes_.rows.taps * sizes_.columns.taps * pixel_words_; }
  void pack(const int8_t* weight);
  void fill_runs();
  bool is_channels_last(const Int8Image& x) const;
  bool in_place(const Int8Image& x) const;
  void run_tiles(const Int8Tiles& tiles) const;
  template <class Element>
  void spread(const Int8Image& x, Element* image) const;

  const Int8Kernels& kernels_;
  ConvSizes sizes_;
  Int8Finish finish_;
  int32_t input_zero_point_;
  bool bytes_;
  int64_t pixel_words_;     ///< of a pixel of the image, its channels filled up to full words
  int64_t height_, width_;  ///< of the part of the padded image that is read
  int64_t run_count_, run_words_;
  int64_t* runs_;
  int32_t *packed_, *start_;
};

/// Null, or the reason why vectors are likely to be faster at a product than AMX.
const char* int8_amx_yields(const ConvSizes& sizes);

/// Makes the kernel functions `stem`, of operation `Op`, for a unit.
// NOLINTBEGIN(bugprone-macro-parentheses): `stem` names templates.
#define ESPALIER_INSTANTIATE_INT8(Op, stem, unit)                                         \
  template const char* stem##_declines<unit>(const Op&, Inputs, std::span<const Tensor>); \
  template size_t stem##_scratch<unit>(const Op&, Inputs, std::span<const Tensor>);       \
  template void stem<unit>(const Op&, Inputs, Outputs, void*);                            \
  template std::unique_ptr<const PreparedKernel> prepare_##stem<unit>(const Op&, Inputs,  \
                                                                      std::span<const Tensor>, uint32_t);
// NOLINTEND(bugprone-macro-parentheses)

}  // namespace espalier
