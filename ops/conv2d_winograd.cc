// The kernels of convolutions by Winograd's method.

#include <memory>
#include <optional>
#include <utility>

#include "core/parallel.h"
#include "ops/column_sums_internal.h"
#include "ops/conv2d_internal.h"
#include "ops/layout_internal.h"
#include "ops/scratch_internal.h"
#include "ops/winograd_internal.h"

namespace espalier {
namespace {

// What a run does once for all tiles, in tiles, fitted to the measurements of winograd_choice.cc: it
// transforms the filters, unless they are constant, as where convolutions are fused; a gradient of filters
// goes through sums of all planes.
constexpr int64_t kFilterTiles = 10;
constexpr int64_t kSumTiles = 64;

using Choice = std::optional<WinogradTile>;

/// A convolution that Winograd's method computes, of the first input with the second.
struct WinogradProblem {
  WinogradSizes sizes = {};
  Choice tile = {};       ///< none: another kernel shall do it
  bool reversed = false;  ///< from y to x: a convolution of the gradient with rotated filters
  bool relu = false;
};

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
  return {sizes, choose_winograd_tile(sizes, overhead), reversed};
}

WinogradProblem winograd_problem(const Conv2d& op, Inputs inputs, std::span<const Tensor> outputs) {
  const ConvSizes sizes(op.options(), inputs[0].shape(), inputs[1].shape(), outputs[0].shape());
  return winograd_problem(sizes, inputs[0].dtype(), kFilterTiles);
}
WinogradProblem winograd_problem(const FusedConv2d& op, Inputs inputs, std::span<const Tensor> outputs) {
  const ConvSizes sizes(op.options().conv, inputs[0].shape(), inputs[1].shape(), outputs[0].shape());
  WinogradProblem problem = winograd_problem(sizes, inputs[0].dtype(), 0);
  problem.relu = op.options().relu;
  return problem;
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

const float* image_floats(const Tensor& image, Workspace& work) {
  return static_cast<const float*>(laid_out(image, channels_last_strides(image.shape()), work));
}

/// Of a row-major weight [O, C, 3, 3].
WinogradFilters filters_of(const float* weight, const WinogradProblem& problem) {
  const int64_t of_y = 9 * (problem.reversed ? problem.sizes.out_channels : problem.sizes.in_channels);
  if (problem.reversed) return {weight, of_y, 9, true};
  return {weight, 9, of_y, false};
}

class WinogradWork {
 public:
  /// `filters`: transformed already, or null.
  WinogradWork(const WinogradProblem& problem, Inputs inputs, std::span<const Tensor> outputs,
               const float* const& filters, Workspace& work)
      : problem_(problem),
        convolution_(problem.sizes, *problem.tile, num_threads()),
        x_(image_floats(inputs[0], work)),
        weight_(filters ? nullptr : row_major_as<float>(inputs[1], work)),
        given_filters_(filters),
        own_filters_(filters ? nullptr : work.take<float>(convolution_.filter_floats())),
        epilogue_{.bias = inputs.size() > 2 ? row_major_as<float>(inputs[2], work) : nullptr,
                  .residual = inputs.size() > 3 ? floats_of(inputs[3]) : nullptr,
                  .relu = problem.relu},
        y_(floats_of(outputs[0])),
        scratch_(work.take<float>(convolution_.scratch_floats())) {}

  void run() const {
    if (own_filters_) convolution_.transform_filters(filters_of(weight_, problem_), own_filters_);
    convolution_.run(x_, own_filters_ ? own_filters_ : given_filters_, epilogue_, y_, scratch_);
  }

 private:
  WinogradProblem problem_;
  WinogradConvolution convolution_;
  const float *x_, *weight_, *given_filters_;
  float* own_filters_;
  WinogradEpilogue epilogue_;
  float *y_, *scratch_;
};

/// With constant filters, which are transformed once.
class PreparedWinograd final : public PreparedKernel {
 public:
  PreparedWinograd(const WinogradProblem& problem, Inputs inputs, std::span<const Tensor> outputs)
      : problem_(problem) {
    const WinogradConvolution convolution(problem.sizes, *problem.tile, num_threads());
    filters_ = empty({convolution.filter_floats()});
    convolution.transform_filters(filters_of(floats_of(row_major(inputs[1])), problem), floats_of(filters_));
    scratch_bytes_ = scratch_of<WinogradWork>(problem_, inputs, outputs, filters());
  }

  size_t scratch_bytes() const override { return scratch_bytes_; }

  void run(Inputs inputs, Outputs outputs, void* scratch) const override {
    run_with<WinogradWork>(scratch, problem_, inputs, std::span<const Tensor>(outputs), filters());
  }

 private:
  const float* filters() const { return floats_of(filters_); }

  WinogradProblem problem_;
  Tensor filters_;
  size_t scratch_bytes_;
};

class WinogradGradientWork {
 public:
  WinogradGradientWork(const WinogradProblem& problem, Inputs inputs, std::span<const Tensor> outputs,
                       Workspace& work)
      : sizes_(problem.sizes),
        gradient_(problem.sizes, *problem.tile, num_threads()),
        x_(image_floats(inputs[0], work)),
        dy_(image_floats(inputs[1], work)),
        dw_(floats_of(outputs[0])),
        db_(outputs.size() > 1 ? floats_of(outputs[1]) : nullptr),
        scratch_(work.take<float>(gradient_.scratch_floats())) {}

  void run() const {
    gradient_.run(x_, dy_, dw_, scratch_);
    if (!db_) return;
    const int64_t pixels = sizes_.images * sizes_.out.height * sizes_.out.width;
    column_sums(dy_, pixels, sizes_.out_channels, sizes_.out_channels, db_);
  }

 private:
  WinogradSizes sizes_;
  WinogradFilterGradient gradient_;
  const float *x_, *dy_;
  float *dw_, *db_, *scratch_;
};

constexpr const float* kNoFilters = nullptr;

template <class Op>
size_t convolution_scratch(const Op& op, Inputs inputs, std::span<const Tensor> outputs) {
  return scratch_of<WinogradWork>(winograd_problem(op, inputs, outputs), inputs, outputs, kNoFilters);
}

template <class Op>
void run_convolution(const Op& op, Inputs inputs, std::span<const Tensor> outputs, void* scratch) {
  run_with<WinogradWork>(scratch, winograd_problem(op, inputs, outputs), inputs, outputs, kNoFilters);
}

template <class Op>
std::unique_ptr<const PreparedKernel> prepare_convolution(const Op& op, Inputs inputs,
                                                          std::span<const Tensor> outputs,
                                                          uint32_t constants) {
  if (!(constants & 0b10u)) return nullptr;
  return std::make_unique<PreparedWinograd>(winograd_problem(op, inputs, outputs), inputs, outputs);
}

}  // namespace

const char* conv2d_winograd_declines(const Conv2d& op, Inputs inputs, std::span<const Tensor> outputs) {
  return declines_unless(winograd_problem(op, inputs, outputs).tile);
}
size_t conv2d_winograd_scratch(const Conv2d& op, Inputs inputs, std::span<const Tensor> outputs) {
  return convolution_scratch(op, inputs, outputs);
}
void conv2d_winograd(const Conv2d& op, Inputs inputs, Outputs outputs, void* scratch) {
  run_convolution(op, inputs, outputs, scratch);
}
std::unique_ptr<const PreparedKernel> prepare_conv2d_winograd(const Conv2d& op, Inputs inputs,
                                                              std::span<const Tensor> outputs,
                                                              uint32_t constants) {
  return prepare_convolution(op, inputs, outputs, constants);
}

const char* fused_conv2d_winograd_declines(const FusedConv2d& op, Inputs inputs,
                                           std::span<const Tensor> outputs) {
  if (const char* overlap = fused_conv2d_overlaps(inputs)) return overlap;
  return declines_unless(winograd_problem(op, inputs, outputs).tile);
}
size_t fused_conv2d_winograd_scratch(const FusedConv2d& op, Inputs inputs, std::span<const Tensor> outputs) {
  return convolution_scratch(op, inputs, outputs);
}
void fused_conv2d_winograd(const FusedConv2d& op, Inputs inputs, Outputs outputs, void* scratch) {
  run_convolution(op, inputs, outputs, scratch);
}
std::unique_ptr<const PreparedKernel> prepare_fused_conv2d_winograd(const FusedConv2d& op, Inputs inputs,
                                                                    std::span<const Tensor> outputs,
                                                                    uint32_t constants) {
  return prepare_convolution(op, inputs, outputs, constants);
}

const char* conv2d_backward_data_winograd_declines(const Conv2dBackwardData& op, Inputs inputs,
                                                   std::span<const Tensor> outputs) {
  return declines_unless(winograd_problem(op, inputs, outputs).tile);
}
size_t conv2d_backward_data_winograd_scratch(const Conv2dBackwardData& op, Inputs inputs,
                                             std::span<const Tensor> outputs) {
  return convolution_scratch(op, inputs, outputs);
}
void conv2d_backward_data_winograd(const Conv2dBackwardData& op, Inputs inputs, Outputs outputs,
                                   void* scratch) {
  run_convolution(op, inputs, outputs, scratch);
}
std::unique_ptr<const PreparedKernel> prepare_conv2d_backward_data_winograd(const Conv2dBackwardData& op,
                                                                            Inputs inputs,
                                                                            std::span<const Tensor> outputs,
                                                                            uint32_t constants) {
  return prepare_convolution(op, inputs, outputs, constants);
}

const char* conv2d_backward_weights_winograd_declines(const Conv2dBackwardWeights& op, Inputs inputs,
                                                      std::span<const Tensor> outputs) {
  return declines_unless(winograd_problem(op, inputs, outputs).tile);
}
size_t conv2d_backward_weights_winograd_scratch(const Conv2dBackwardWeights& op, Inputs inputs,
                                                std::span<const Tensor> outputs) {
  return scratch_of<WinogradGradientWork>(winograd_problem(op, inputs, outputs), inputs, outputs);
}
void conv2d_backward_weights_winograd(const Conv2dBackwardWeights& op, Inputs inputs, Outputs outputs,
                                      void* scratch) {
  run_with<WinogradGradientWork>(scratch, winograd_problem(op, inputs, outputs), inputs,
                                 std::span<const Tensor>(outputs));
}

}  // namespace espalier
