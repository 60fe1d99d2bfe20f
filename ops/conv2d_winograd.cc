// The kernels of convolutions by Winograd's method.

#include <algorithm>
#include <utility>

#include "core/parallel.h"
#include "ops/column_sums_internal.h"
#include "ops/conv2d_internal.h"
#include "ops/layout_internal.h"
#include "ops/winograd_internal.h"

namespace espalier {
namespace {

// What a run does once for all tiles, in tiles, fitted to the measurements of winograd_choice.cc: it
// transforms the filters, unless they are constant, as where convolutions are fused; a gradient of filters
// goes through sums of all planes.
constexpr int64_t kFilterTiles = 10;
constexpr int64_t kSumTiles = 64;

using Choice = std::optional<WinogradTile>;

struct WinogradProblem {
  WinogradSizes sizes;
  Choice tile;  ///< none: another kernel shall do it
};

/// Of a convolution in the direction from x to y, or from y to x: that one, too, is a convolution, of the
/// gradient with rotated filters.
WinogradProblem winograd_problem(const ConvSizes& s, Dtype dtype, int64_t overhead, bool reversed = false) {
  const auto slides_plainly = [](const WindowAxis& axis) {
    return axis.taps == 3 && axis.stride == 1 && axis.dilation == 1;
  };
  const bool fits = dtype == Dtype::f32 && s.groups == 1 && slides_plainly(s.rows) &&
                    slides_plainly(s.columns) &&
                    (!reversed || (s.rows.padding <= 2 && s.columns.padding <= 2));
  if (!fits || count(s.x) == 0 || count(s.weight) == 0 || count(s.y) == 0) return {};
  WinogradSizes sizes{.images = s.x[0],
                      .in_channels = s.x[1],
                      .out_channels = s.y[1],
                      .in = {s.x[2], s.x[3]},
                      .out = {s.y[2], s.y[3]},
                      .padding = {s.rows.padding, s.columns.padding}};
  if (reversed) {
    std::swap(sizes.in_channels, sizes.out_channels);
    std::swap(sizes.in, sizes.out);
    sizes.padding = {2 - s.rows.padding, 2 - s.columns.padding};
  }
  return {sizes, choose_winograd_tile(sizes, overhead)};
}

WinogradProblem winograd_problem(const Conv2d& op, Inputs inputs, std::span<const Tensor> outputs) {
  const ConvSizes sizes(op.options(), inputs[0].shape(), inputs[1].shape(), outputs[0].shape());
  return winograd_problem(sizes, inputs[0].dtype(), kFilterTiles);
}
WinogradProblem winograd_problem(const FusedConv2d& op, Inputs inputs, std::span<const Tensor> outputs) {
  const ConvSizes sizes(op.options().conv, inputs[0].shape(), inputs[1].shape(), outputs[0].shape());
  return winograd_problem(sizes, inputs[0].dtype(), 0);
}
WinogradProblem winograd_problem(const Conv2dBackwardData& op, Inputs inputs,
                                 std::span<const Tensor> outputs) {
  const ConvSizes sizes(op.options(), outputs[0].shape(), inputs[1].shape(), inputs[0].shape());
  return winograd_problem(sizes, inputs[0].dtype(), kFilterTiles, true);
}
WinogradProblem winograd_problem(const Conv2dBackwardWeights& op, Inputs inputs,
                                 std::span<const Tensor> outputs) {
  const ConvSizes sizes(op.options(), inputs[0].shape(), outputs[0].shape(), inputs[1].shape());
  return winograd_problem(sizes, inputs[0].dtype(), kSumTiles);
}

const char* declines_unless(const Choice& tile) {
  return tile ? nullptr
              : "not a 3 x 3 kernel of f32 at stride 1, or too few channels and pixels to gain by it";
}

float* floats_of(const Tensor& tensor) {
  return tensor.defined() ? static_cast<float*>(tensor.raw_data()) : nullptr;
}

Tensor image_for_winograd(const Tensor& image) {
  return laid_out(image, channels_last_strides(image.shape()));
}

/// A convolution of the first input with the second, transformed in each run unless constant.
class PreparedWinograd final : public PreparedKernel {
 public:
  PreparedWinograd(const WinogradProblem& problem, bool reversed, bool relu, const Tensor& constant_weight)
      : convolution_(problem.sizes, *problem.tile, num_threads()), reversed_(reversed), relu_(relu) {
    if (!constant_weight.defined()) return;
    filters_ = empty({convolution_.filter_floats()});
    convolution_.transform_filters(filters_of(constant_weight), floats_of(filters_));
  }

  size_t scratch_bytes() const override {
    const int64_t filters = filters_.defined() ? 0 : convolution_.filter_floats();
    return static_cast<size_t>(convolution_.scratch_floats() + filters) * sizeof(float);
  }

  void run(Inputs inputs, Outputs outputs, void* scratch) const override {
    auto* rest = static_cast<float*>(scratch);
    const float* filters = floats_of(filters_);
    if (!filters) {
      convolution_.transform_filters(filters_of(inputs[1]), rest);
      filters = std::exchange(rest, rest + convolution_.filter_floats());
    }
    const WinogradEpilogue epilogue{.bias = inputs.size() > 2 ? floats_of(inputs[2]) : nullptr,
                                    .residual = inputs.size() > 3 ? floats_of(inputs[3]) : nullptr,
                                    .relu = relu_};
    convolution_.run(floats_of(inputs[0]), filters, epilogue, floats_of(outputs[0]), rest);
  }

 private:
  WinogradFilters filters_of(const Tensor& weight) const {
    const int64_t of_output = 9 * weight.shape()[1];
    if (reversed_) return {floats_of(weight), of_output, 9, true};
    return {floats_of(weight), 9, of_output, false};
  }

  WinogradConvolution convolution_;
  bool reversed_, relu_;
  Tensor filters_;
};

class PreparedWinogradGradient final : public PreparedKernel {
 public:
  explicit PreparedWinogradGradient(const WinogradProblem& problem)
      : sizes_(problem.sizes), gradient_(problem.sizes, *problem.tile, num_threads()) {}

  size_t scratch_bytes() const override {
    return static_cast<size_t>(gradient_.scratch_floats()) * sizeof(float);
  }

  void run(Inputs inputs, Outputs outputs, void* scratch) const override {
    gradient_.run(floats_of(inputs[0]), floats_of(inputs[1]), floats_of(outputs[0]),
                  static_cast<float*>(scratch));
    if (outputs.size() < 2) return;
    column_sums(floats_of(inputs[1]), sizes_.images * sizes_.out.height * sizes_.out.width,
                sizes_.out_channels, sizes_.out_channels, floats_of(outputs[1]));
  }

 private:
  WinogradSizes sizes_;
  WinogradFilterGradient gradient_;
};

/// Runs it once, with scratch memory of its own.
void run_once(const PreparedKernel& prepared, Inputs inputs, Outputs outputs) {
  const Tensor scratch = empty({static_cast<int64_t>(prepared.scratch_bytes())}, Dtype::u8);
  prepared.run(inputs, outputs, scratch.raw_data());
}

/// Whether the tensors lie as the code wants them.
bool lies_ready(Inputs images, Inputs rows) {
  return std::all_of(images.begin(), images.end(), is_channels_last) &&
         std::all_of(rows.begin(), rows.end(),
                     [](const Tensor& t) { return !t.defined() || t.is_contiguous(); });
}

Tensors laid_out_for_winograd(Inputs inputs) {
  Tensors ready;
  for (const Tensor& input : inputs) ready.push_back(input);
  ready[0] = image_for_winograd(inputs[0]);
  ready[1] = laid_out(inputs[1], contiguous_strides(inputs[1].shape()));
  if (inputs.size() > 2 && inputs[2].defined()) ready[2] = laid_out(inputs[2], {1});
  return ready;
}

using PreparedPtr = std::unique_ptr<const PreparedKernel>;

}  // namespace

const char* conv2d_winograd_declines(const Conv2d& op, Inputs inputs, std::span<const Tensor> outputs) {
  return declines_unless(winograd_problem(op, inputs, outputs).tile);
}
const char* conv2d_backward_data_winograd_declines(const Conv2dBackwardData& op, Inputs inputs,
                                                   std::span<const Tensor> outputs) {
  return declines_unless(winograd_problem(op, inputs, outputs).tile);
}
const char* conv2d_backward_weights_winograd_declines(const Conv2dBackwardWeights& op, Inputs inputs,
                                                      std::span<const Tensor> outputs) {
  return declines_unless(winograd_problem(op, inputs, outputs).tile);
}
const char* fused_conv2d_winograd_declines(const FusedConv2d& op, Inputs inputs,
                                           std::span<const Tensor> outputs) {
  if (const char* overlap = fused_conv2d_overlaps(inputs)) return overlap;
  return declines_unless(winograd_problem(op, inputs, outputs).tile);
}

void conv2d_winograd(const Conv2d& op, Inputs inputs, Outputs outputs) {
  run_once(PreparedWinograd(winograd_problem(op, inputs, outputs), false, false, {}),
           laid_out_for_winograd(inputs), outputs);
}
void fused_conv2d_winograd(const FusedConv2d& op, Inputs inputs, Outputs outputs) {
  run_once(PreparedWinograd(winograd_problem(op, inputs, outputs), false, op.options().relu, {}),
           laid_out_for_winograd(inputs), outputs);
}
void conv2d_backward_data_winograd(const Conv2dBackwardData& op, Inputs inputs, Outputs outputs) {
  run_once(PreparedWinograd(winograd_problem(op, inputs, outputs), true, false, {}),
           laid_out_for_winograd(inputs), outputs);
}
void conv2d_backward_weights_winograd(const Conv2dBackwardWeights& op, Inputs inputs, Outputs outputs) {
  const Tensor images[] = {image_for_winograd(inputs[0]), image_for_winograd(inputs[1])};
  run_once(PreparedWinogradGradient(winograd_problem(op, inputs, outputs)), images, outputs);
}

PreparedPtr prepare_conv2d_winograd(const Conv2d& op, Inputs inputs, std::span<const Tensor> outputs,
                                    uint32_t constants) {
  if (!lies_ready(inputs.first(1), inputs.subspan(1))) return nullptr;
  return std::make_unique<PreparedWinograd>(winograd_problem(op, inputs, outputs), false, false,
                                            constants & 0b10u ? inputs[1] : Tensor());
}
PreparedPtr prepare_fused_conv2d_winograd(const FusedConv2d& op, Inputs inputs,
                                          std::span<const Tensor> outputs, uint32_t constants) {
  if (!lies_ready(inputs.first(1), inputs.subspan(1, 2))) return nullptr;
  return std::make_unique<PreparedWinograd>(winograd_problem(op, inputs, outputs), false, op.options().relu,
                                            constants & 0b10u ? inputs[1] : Tensor());
}
PreparedPtr prepare_conv2d_backward_data_winograd(const Conv2dBackwardData& op, Inputs inputs,
                                                  std::span<const Tensor> outputs, uint32_t constants) {
  if (!lies_ready(inputs.first(1), inputs.subspan(1))) return nullptr;
  return std::make_unique<PreparedWinograd>(winograd_problem(op, inputs, outputs), true, false,
                                            constants & 0b10u ? inputs[1] : Tensor());
}
PreparedPtr prepare_conv2d_backward_weights_winograd(const Conv2dBackwardWeights& op, Inputs inputs,
                                                     std::span<const Tensor> outputs, uint32_t) {
  if (!lies_ready(inputs, {})) return nullptr;
  return std::make_unique<PreparedWinogradGradient>(winograd_problem(op, inputs, outputs));
}

}  // namespace espalier
