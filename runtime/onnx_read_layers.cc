// ONNX's products, convolutions, pooling and normalisation.

#include <algorithm>
#include <limits>

#include "core/error.h"
#include "ops/adaptive_pool2d.h"
#include "ops/add.h"
#include "ops/avg_pool2d.h"
#include "ops/batch_norm.h"
#include "ops/conv2d.h"
#include "ops/group_norm.h"
#include "ops/layer_norm.h"
#include "ops/linear.h"
#include "ops/matmul.h"
#include "ops/max_pool2d.h"
#include "ops/multiply.h"
#include "ops/pad.h"
#include "ops/permute.h"
#include "ops/reshape.h"
#include "ops/rms_norm.h"
#include "runtime/onnx_reading_internal.h"

namespace espalier::runtime {
namespace {

Tensors read_matmul(OnnxReading& r) {
  return {matmul(r.input(0), r.input(1))};
}

/// alpha A B + beta C, where C broadcasts; what PyTorch's layers are written as is a linear layer here.
Tensors read_gemm(OnnxReading& r) {
  const Tensor &a = r.input(0), &b = r.input(1);
  const Tensor c = r.optional_input(2);
  const double alpha = r.number("alpha", 1), beta = r.number("beta", 1);
  const bool turn_a = r.integer("transA", 0) != 0, turn_b = r.integer("transB", 0) != 0;
  if (a.rank() != 2 || b.rank() != 2)
    r.refuse("multiplies " + describe(a) + " and " + describe(b) + ", not matrices");
  const bool row = !c.defined() || (c.rank() == 1 && c.shape()[0] == b.shape()[0]);
  if (!turn_a && turn_b && alpha == 1 && beta == 1 && row) return {linear(a, b, c)};
  Tensor product = matmul(turn_a ? transpose(a, 0, 1) : a, turn_b ? transpose(b, 0, 1) : b);
  if (alpha != 1) product = product * alpha;
  if (!c.defined()) return {product};
  return {product + (beta == 1 ? c : c * beta)};
}

/// How a window slides over an image, or (with a height of 1) a signal.
struct OnnxWindow {
  Size2d kernel = 1, stride = 1, dilation = 1, before = 0, after = 0;

  bool even() const { return before == after; }
};

/// The sizes of a list for the axes of an image.
Size2d image_size(const OnnxReading& r, const std::vector<int64_t>& sizes, int axes, int64_t height) {
  if (sizes.size() != static_cast<size_t>(axes)) r.refuse("has a list of another length than there are axes");
  return axes == 1 ? Size2d(height, sizes[0]) : Size2d(sizes[0], sizes[1]);
}

/// Reads the attributes of a window over `x`, [N, C, L] or [N, C, H, W].
OnnxWindow window_of(OnnxReading& r, const Tensor& x, const std::vector<int64_t>& kernel) {
  const int axes = x.rank() - 2;
  if (axes != 1 && axes != 2)
    r.refuse("slides over " + describe(x) + "; one or two axes behind the channels are read");
  const std::vector<int64_t> one(static_cast<size_t>(axes), 1);
  const std::vector<int64_t> pads = r.integers("pads", std::vector<int64_t>(2 * one.size(), 0));
  const std::string automatic = r.word("auto_pad", "NOTSET");
  if (automatic != "NOTSET" && automatic != "VALID")
    r.refuse("has auto_pad " + quoted_name(automatic) + ", which is not read");
  if (pads.size() != 2 * one.size()) r.refuse("has a list of another length than there are axes");
  const auto half = pads.begin() + axes;
  return {.kernel = image_size(r, r.integers("kernel_shape", kernel), axes, 1),
          .stride = image_size(r, r.integers("strides", one), axes, 1),
          .dilation = image_size(r, r.integers("dilations", one), axes, 1),
          .before = image_size(r, {pads.begin(), half}, axes, 0),
          .after = image_size(r, {half, pads.end()}, axes, 0)};
}

/// [N, C, L] as an image of height 1.
Tensor as_image(const Tensor& x) {
  return x.rank() == 3 ? unsqueeze(x, 2) : x;
}

/// ... and back.
Tensor as_signal(const Tensor& y, const Tensor& x) {
  return x.rank() == 3 ? squeeze(y, 2) : y;
}

/// `image` with what a window pads unevenly added to it, so that the window pads nothing.
Tensor padded(const Tensor& image, OnnxWindow& window, Scalar value) {
  if (window.even()) return image;
  const Size2d before = window.before, after = window.after;
  window.before = window.after = 0;
  return pad(image, {0, 0, before.height, before.width}, {0, 0, after.height, after.width}, value);
}

Tensors read_conv(OnnxReading& r) {
  const Tensor &x = r.input(0), &weight = r.input(1);
  if (weight.rank() != x.rank()) r.refuse("takes " + describe(x) + " with weights " + describe(weight));
  const std::vector<int64_t> kernel(weight.shape().begin() + 2, weight.shape().end());
  OnnxWindow window = window_of(r, x, kernel);
  if (r.integers("kernel_shape", kernel) != kernel)
    r.refuse("has weights " + describe(weight) + " of another kernel_shape");
  const Tensor image = padded(as_image(x), window, 0);
  return {as_signal(conv2d(image, as_image(weight), r.optional_input(2),
                           {.stride = window.stride,
                            .padding = window.before,
                            .dilation = window.dilation,
                            .groups = r.integer("group", 1)}),
                    x)};
}

Tensors read_max_pool(OnnxReading& r) {
  const Tensor& x = r.input(0);
  r.expect("ceil_mode", 0);
  r.expect("storage_order", 0);
  OnnxWindow window = window_of(r, x, {});
  const Tensor image = padded(as_image(x), window, -std::numeric_limits<double>::infinity());
  return {
      as_signal(max_pool2d(image, window.kernel,
                           {.stride = window.stride, .padding = window.before, .dilation = window.dilation}),
                x)};
}

Tensors read_average_pool(OnnxReading& r) {
  const Tensor& x = r.input(0);
  r.expect("ceil_mode", 0);
  const bool counts = r.integer("count_include_pad", 0) != 0;
  OnnxWindow window = window_of(r, x, {});
  if (window.dilation != Size2d(1)) r.refuse("has dilations, which are not read");
  if (!counts && !window.even()) r.refuse("pads unevenly without counting it, which is not read");
  const Tensor image = padded(as_image(x), window, 0);
  return {
      as_signal(avg_pool2d(image, window.kernel,
                           {.stride = window.stride, .padding = window.before, .count_include_pad = counts}),
                x)};
}

template <Tensor (*f)(const Tensor&, Size2d)>
Tensors read_global_pool(OnnxReading& r) {
  const Tensor& x = r.input(0);
  return {as_signal(f(as_image(x), 1), x)};
}

Tensors read_batch_norm(OnnxReading& r) {
  r.expect("training_mode", 0);
  r.ignore("momentum");
  return {batch_norm(r.input(0), r.input(1), r.input(2), r.input(3), r.input(4),
                     {.eps = r.number("epsilon", 1e-5)})};
}

/// The axes from `axis` to the last.
Shape normalised_axes(OnnxReading& r, const Tensor& x) {
  const int first = r.axis(r.integer("axis", -1), x.rank());
  r.ignore("stash_type");  // statistics are in f32 or wider in any case
  return Shape(std::span<const int64_t>(x.shape()).subspan(static_cast<size_t>(first)));
}

Tensors read_layer_norm(OnnxReading& r) {
  const Tensor& x = r.input(0);
  return {layer_norm(x, normalised_axes(r, x), r.input(1), r.optional_input(2), r.number("epsilon", 1e-5))};
}

Tensors read_rms_norm(OnnxReading& r) {
  const Tensor& x = r.input(0);
  return {rms_norm(x, normalised_axes(r, x), r.input(1), r.number("epsilon", 1e-5))};
}

Tensors read_instance_norm(OnnxReading& r) {
  return {instance_norm(r.input(0), r.input(1), r.input(2), r.number("epsilon", 1e-5))};
}

}  // namespace

const OnnxReaders& layer_onnx_readers() {
  static const OnnxReaders all = {
      {"AveragePool", read_average_pool},
      {"BatchNormalization", read_batch_norm},
      {"Conv", read_conv},
      {"Gemm", read_gemm},
      {"GlobalAveragePool", read_global_pool<adaptive_avg_pool2d>},
      {"GlobalMaxPool", read_global_pool<adaptive_max_pool2d>},
      {"InstanceNormalization", read_instance_norm},
      {"LayerNormalization", read_layer_norm},
      {"MatMul", read_matmul},
      {"MaxPool", read_max_pool},
      {"RMSNormalization", read_rms_norm},
  };
  return all;
}

}  // namespace espalier::runtime
