// The kernels of convolutions by Winograd's method.

#include <memory>
#include <optional>
#include <type_traits>
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

/// A convolution that Winograd's method computes, of the first input with the second.
struct WinogradProblem {
  bool fits = false;  ///< the method can compute it
  WinogradSizes sizes = {};
  int64_t overhead = 0;   ///< what a run does once, in tiles
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
  return {true, sizes, overhead, reversed};
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

const char* winograd_declines(const WinogradProblem& problem) {
  return problem.fits ? nullptr : "not a 3 x 3 kernel of f32 at stride 1";
}

const char* winograd_yields(const WinogradProblem& problem, WinogradTile tile) {
  const std::optional<WinogradTile> best = choose_winograd_tile(problem.sizes, problem.overhead);
  if (!best) return "too few channels and pixels to gain by it";
  return best == tile ? nullptr : "another tile takes fewer multiplications";
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
  WinogradWork(const WinogradProblem& problem, WinogradTile tile, Inputs inputs,
               std::span<const Tensor> outputs, const float* const& filters, Workspace& work)
      : problem_(problem),
        convolution_(problem.sizes, tile, num_threads()),
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
  PreparedWinograd(const WinogradProblem& problem, WinogradTile tile, Inputs inputs,
                   std::span<const Tensor> outputs)
      : problem_(problem), tile_(tile) {
    const WinogradConvolution convolution(problem.sizes, tile, num_threads());
    filters_ = empty({convolution.filter_floats()});
    convolution.transform_filters(filters_of(floats_of(row_major(inputs[1])), problem), floats_of(filters_));
    scratch_bytes_ = scratch_of<WinogradWork>(problem_, tile_, inputs, outputs, filters());
  }

  size_t scratch_bytes() const override { return scratch_bytes_; }

  void run(Inputs inputs, Outputs outputs, void* scratch) const override {
    run_with<WinogradWork>(scratch, problem_, tile_, inputs, std::span<const Tensor>(outputs), filters());
  }

 private:
  const float* filters() const { return floats_of(filters_); }

  WinogradProblem problem_;
  WinogradTile tile_;
  Tensor filters_;
  size_t scratch_bytes_;
};

class WinogradGradientWork {
 public:
  WinogradGradientWork(const WinogradProblem& problem, WinogradTile tile, Inputs inputs,
                       std::span<const Tensor> outputs, Workspace& work)
      : sizes_(problem.sizes),
        gradient_(problem.sizes, tile, num_threads()),
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

}  // namespace

// For each operation, and for either tile.

template <class Op>
const char* conv2d_winograd_declines(const Op& op, Inputs inputs, std::span<const Tensor> outputs) {
  if constexpr (std::is_same_v<Op, FusedConv2d>) {
    if (const char* overlap = fused_conv2d_overlaps(inputs)) return overlap;
  }
  return winograd_declines(winograd_problem(op, inputs, outputs));
}

template <class Op, WinogradTile tile>
const char* conv2d_winograd_yields(const Op& op, Inputs inputs, std::span<const Tensor> outputs) {
  return winograd_yields(winograd_problem(op, inputs, outputs), tile);
}

template <class Op, WinogradTile tile>
size_t conv2d_winograd_scratch(const Op& op, Inputs inputs, std::span<const Tensor> outputs) {
  const WinogradProblem problem = winograd_problem(op, inputs, outputs);
  if constexpr (std::is_same_v<Op, Conv2dBackwardWeights>)
    return scratch_of<WinogradGradientWork>(problem, tile, inputs, outputs);
  else
    return scratch_of<WinogradWork>(problem, tile, inputs, outputs, kNoFilters);
}

template <class Op, WinogradTile tile>
void conv2d_winograd(const Op& op, Inputs inputs, Outputs outputs, void* scratch) {
  const WinogradProblem problem = winograd_problem(op, inputs, outputs);
  const std::span<const Tensor> written(outputs);
  if constexpr (std::is_same_v<Op, Conv2dBackwardWeights>)
    run_with<WinogradGradientWork>(scratch, problem, tile, inputs, written);
  else
    run_with<WinogradWork>(scratch, problem, tile, inputs, written, kNoFilters);
}

template <class Op, WinogradTile tile>
std::unique_ptr<const PreparedKernel> prepare_conv2d_winograd(const Op& op, Inputs inputs,
                                                              std::span<const Tensor> outputs,
                                                              uint32_t constants) {
  if (std::is_same_v<Op, Conv2dBackwardWeights> || !(constants & 0b10u)) return nullptr;
  return std::make_unique<PreparedWinograd>(winograd_problem(op, inputs, outputs), tile, inputs, outputs);
}

#define ESPALIER_WINOGRAD_TILE(Op, tile)                                                             \
  template const char* conv2d_winograd_yields<Op, tile>(const Op&, Inputs, std::span<const Tensor>); \
  template size_t conv2d_winograd_scratch<Op, tile>(const Op&, Inputs, std::span<const Tensor>);     \
  template void conv2d_winograd<Op, tile>(const Op&, Inputs, Outputs, void*);                        \
  template std::unique_ptr<const PreparedKernel> prepare_conv2d_winograd<Op, tile>(                  \
      const Op&, Inputs, std::span<const Tensor>, uint32_t);
#define ESPALIER_WINOGRAD_OPERATION(Op)                                                          \
  template const char* conv2d_winograd_declines<Op>(const Op&, Inputs, std::span<const Tensor>); \
  ESPALIER_WINOGRAD_TILE(Op, WinogradTile::two)                                                  \
  ESPALIER_WINOGRAD_TILE(Op, WinogradTile::four)

ESPALIER_WINOGRAD_OPERATION(Conv2d)
ESPALIER_WINOGRAD_OPERATION(FusedConv2d)
ESPALIER_WINOGRAD_OPERATION(Conv2dBackwardData)
ESPALIER_WINOGRAD_OPERATION(Conv2dBackwardWeights)

}  // namespace espalier
