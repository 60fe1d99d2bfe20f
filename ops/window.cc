#include "ops/window.h"

#include <limits>
#include <sstream>

#include "core/error.h"
#include "ops/layout_internal.h"
#include "ops/window_internal.h"

namespace espalier {
namespace {

constexpr int64_t kLargestWindow = std::numeric_limits<int32_t>::max();

void check_between(std::string_view name, const char* what, Size2d size, int64_t lowest) {
  if (std::min(size.height, size.width) >= lowest && std::max(size.height, size.width) <= kLargestWindow)
    return;
  std::ostringstream message;
  message << what << " is " << size << "; expected " << lowest << " to " << kLargestWindow;
  throw ValueError(name, message.str());
}

}  // namespace

void visit_attribute(AttributeVisitor& visit, std::string_view name, Size2d& size) {
  int64_t sides[] = {size.height, size.width};
  visit(name, std::span<int64_t>(sides));
  size = Size2d(sides[0], sides[1]);
}

void check_window(std::string_view name, const Window& window) {
  check_between(name, "kernel", window.kernel, 1);
  check_between(name, "stride", window.stride, 1);
  check_between(name, "padding", window.padding, 0);
  check_between(name, "dilation", window.dilation, 1);
}

void check_floating_inputs(std::string_view name, Inputs inputs) {
  for (const Tensor& input : inputs) {
    if (input.dtype() != inputs[0].dtype())
      throw TypeError(name, "inputs " + describe(inputs) + " are of several types; convert them to one");
  }
  if (inputs[0].dtype() > Dtype::bf16)
    throw TypeError(name, "inputs are " + describe(inputs) + "; expected f64, f32, f16 or bf16");
}

void check_image(std::string_view name, Inputs inputs, const Tensor& image, const char* role) {
  if (image.rank() == 4) return;
  throw ShapeError(name, std::string(role) + " has " + std::to_string(image.rank()) +
                             " axes; expected 4: N, C, H, W (inputs " + describe(inputs) + ")");
}

Shape windowed_shape(std::string_view name, Inputs inputs, const Shape& image, int64_t channels,
                     const Window& window) {
  const int64_t height = window.rows(image[2]).windows(), width = window.columns(image[3]).windows();
  if (height < 1 || width < 1) {
    std::ostringstream message;
    message << "a kernel of " << window.kernel << " with dilation " << window.dilation
            << " does not fit into an image of " << Size2d(image[2], image[3]) << " with padding "
            << window.padding << " (inputs " << describe(inputs) << ")";
    throw ShapeError(name, message.str());
  }
  return {image[0], channels, height, width};
}

Shape max_pooled_shape(std::string_view name, Inputs inputs, const Window& window) {
  const Tensor& x = inputs[0];
  check_image(name, inputs, x, "x");
  check_window(name, window);
  if (2 * window.padding.height > window.kernel.height || 2 * window.padding.width > window.kernel.width) {
    std::ostringstream message;
    message << "padding is " << window.padding << "; expected at most half the kernel, " << window.kernel;
    throw ValueError(name, message.str());
  }
  return windowed_shape(name, inputs, x.shape(), x.shape()[1], window);
}

Strides image_strides(const Tensor& image, const Shape& shape) {
  return is_channels_last(image) && image.shape()[1] != 1 ? channels_last_strides(shape)
                                                          : contiguous_strides(shape);
}

std::vector<AxisTie> image_ties(std::initializer_list<int> operands) {
  std::vector<AxisTie> ties(2);
  for (int axis = 0; axis < 2; ++axis) {
    for (int operand : operands) ties[static_cast<size_t>(axis)].axes.push_back({operand, axis});
  }
  return ties;
}

}  // namespace espalier
