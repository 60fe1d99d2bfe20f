#pragma once

#include <algorithm>
#include <string>
#include <string_view>

#include "core/operation.h"
#include "ops/window.h"

namespace espalier {

/// How a kernel slides along one axis of an image: tap k of window o reads position `start(o) + k *
/// dilation`, which lies outside the image where padding is meant.
struct WindowAxis {
  int64_t size;  ///< of the image
  int64_t taps;
  int64_t stride;
  int64_t padding;
  int64_t dilation;

  /// Windows that fit; zero or less where not one does.
  int64_t windows() const noexcept {
    const int64_t room = size + 2 * padding - dilation * (taps - 1) - 1;
    return room < 0 ? 0 : room / stride + 1;
  }
  int64_t start(int64_t window) const noexcept { return window * stride - padding; }
  /// The taps [first, last) of a window that lie inside the image; first >= last: none does.
  int64_t first_tap(int64_t window) const noexcept {
    const int64_t outside = -start(window);
    return outside <= 0 ? 0 : (outside + dilation - 1) / dilation;
  }
  int64_t last_tap(int64_t window) const noexcept {
    const int64_t inside = size - start(window);
    return inside <= 0 ? 0 : std::min(taps, (inside + dilation - 1) / dilation);
  }
};

/// A kernel that slides over images.
struct Window {
  Size2d kernel;
  Size2d stride = 1;
  Size2d padding = 0;
  Size2d dilation = 1;

  WindowAxis rows(int64_t height) const noexcept {
    return {height, kernel.height, stride.height, padding.height, dilation.height};
  }
  WindowAxis columns(int64_t width) const noexcept {
    return {width, kernel.width, stride.width, padding.width, dilation.width};
  }
};

/// Throws ValueError unless strides and dilations are positive, paddings are not negative, and all are small
/// enough that no sum below overflows.
void check_window(std::string_view name, const Window& window);

/// Throws TypeError unless the inputs are of one type, and that is f64, f32, f16 or bf16.
void check_floating_inputs(std::string_view name, Inputs inputs);

/// Throws ShapeError unless `image`, one of `inputs`, has axes N, C, H, W.
void check_image(std::string_view name, Inputs inputs, const Tensor& image, const char* role);

/// [N, channels, OH, OW]: one pixel a window. Throws ShapeError where no window fits.
Shape windowed_shape(std::string_view name, Inputs inputs, const Shape& image, int64_t channels,
                     const Window& window);

/// The same for maxima of windows of inputs[0], whose padding must not be more than half the kernel
/// (ValueError).
Shape max_pooled_shape(std::string_view name, Inputs inputs, const Window& window);

/// The layout that pooling keeps: channels-last where the image is channels-last (also where, as for a single
/// pixel, it is row-major as well), else row-major.
Strides image_strides(const Tensor& image, const Shape& shape);

/// Axes N and C of an image shrink with those of what pooling makes of it; `operands` names the inputs and
/// outputs that have these axes.
std::vector<AxisTie> image_ties(std::initializer_list<int> operands);

}  // namespace espalier
