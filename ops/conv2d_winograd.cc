// The kernels of convolutions by Winograd's method.

#include <algorithm>
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

/// Beyond, distances between filters in floats, of 16 in a vector, do not fit into an i32.
constexpr int64_t kMostChannels = int64_t{1} << 23;

/// A convolution that Winograd's method computes, of the first input with the second.
struct WinogradProblem {
  const char* refusal = nullptr;  ///< why it does not compute it; null: it can
  WinogradSizes sizes = {};
  int64_t overhead = 0;   ///< what a run does once, in tiles
  bool reversed = false;  ///< from y to x: a convolution of the gradient with rotated filters
  bool relu = false;
  const float* filters = nullptr;  ///< transformed already; null: the second input is to be
};

WinogradProblem winograd_problem(const ConvSizes& s, Dtype dtype, int64_t overhead, bool reversed = false) {
  const auto slides_plainly = [](const WindowAxis& axis) {
    return axis.taps == 3 && axis.stride == 1 && axis.dilation == 1;
  };
  const bool fits = dtype == Dtype::f32 && s.groups == 1 && slides_plainly(s.rows) &&
                    slides_plainly(s.columns) &&
                    (!reversed || (s.rows.padding <= 2 && s.columns.padding <= 2));
  if (!fits) return {.refusal = "not a 3 x 3 kernel of f32 at stride 1"};
  if (count(s.x) == 0 || count(s.weight) == 0 || count(s.y) == 0) return {.refusal = "nothing to compute"};
  if (std::max(s.x[1], s.y[1]) > kMostChannels) return {.refusal = "too many channels"};
  WinogradProblem problem{.sizes = {.images = s.x[0],
                                    .in_channels = s.x[1],
                                    .out_channels = s.y[1],
                                    .in = {s.x[2], s.x[3]},
                                    .out = {s.y[2], s.y[3]},
                                    .padding = {s.rows.padding, s.columns.padding}},
                          .overhead = overhead,
                          .reversed = reversed};
  if (reversed) {
    std::swap(problem.sizes.in_channels, problem.sizes.out_channels);
    std::swap(problem.sizes.in, problem.sizes.out);
    problem.sizes.padding = {2 - s.rows.padding, 2 - s.columns.padding};
  }
  return problem;
}

WinogradProblem winograd_problem(const Conv2d& op, Inputs inputs, std::span<const Tensor> outputs) {
  const ConvSizes sizes(op.options(), inputs[0].shape(), inputs[1].shape(), outputs[0].shape());
  return winograd_problem(sizes, inputs[0].dtype(), kFilterTiles);
}
WinogradProblem winograd_problem(const FusedConv2d& op, Inputs inputs, std::span<const Tensor> outputs) {
  const ConvSizes sizes(op.options().conv, inputs[0].shape(), inputs[1].shape(), outputs[0].shape());
  WinogradProblem problem = winograd_problem(sizes, inputs[0].dtype(), 0);
  if (const char* overlap = fused_conv2d_overlaps(inputs)) problem.refusal = overlap;
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
  WinogradWork(const WinogradProblem& problem, WinogradTile tile, Inputs inputs,
               std::span<const Tensor> outputs, Workspace& work)
      : problem_(problem),
        convolution_(problem.sizes, tile, num_threads()),
        x_(image_floats(inputs[0], work)),
        weight_(problem.filters ? nullptr : row_major_as<float>(inputs[1], work)),
        own_filters_(problem.filters ? nullptr : work.take<float>(convolution_.filter_floats())),
        epilogue_{.bias = inputs.size() > 2 ? row_major_as<float>(inputs[2], work) : nullptr,
                  .residual = inputs.size() > 3 ? floats_of(inputs[3]) : nullptr,
                  .relu = problem.relu},
        y_(floats_of(outputs[0])),
        scratch_(work.take<float>(convolution_.scratch_floats())) {}

  void run() const {
    if (own_filters_) convolution_.transform_filters(filters_of(weight_, problem_), own_filters_);
    convolution_.run(x_, own_filters_ ? own_filters_ : problem_.filters, epilogue_, y_, scratch_);
  }

 private:
  WinogradProblem problem_;
  WinogradConvolution convolution_;
  const float *x_, *weight_;
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
    problem_.filters = floats_of(filters_);
    scratch_bytes_ = scratch_of<WinogradWork>(problem_, tile_, inputs, outputs);
  }

  size_t scratch_bytes() const override { return scratch_bytes_; }

  void run(Inputs inputs, Outputs outputs, void* scratch) const override {
    run_with<WinogradWork>(scratch, problem_, tile_, inputs, std::span<const Tensor>(outputs));
  }

 private:
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

/// What computes an operation.
template <class Op>
struct WorkOf {
  using Type = WinogradWork;
};
template <>
struct WorkOf<Conv2dBackwardWeights> {
  using Type = WinogradGradientWork;
};

}  // namespace

// For each operation, and for either tile.

template <class Op>
const char* conv2d_winograd_declines(const Op& op, Inputs inputs, std::span<const Tensor> outputs) {
  return winograd_problem(op, inputs, outputs).refusal;
}

template <class Op, WinogradTile tile>
const char* conv2d_winograd_yields(const Op& op, Inputs inputs, std::span<const Tensor> outputs) {
  const WinogradProblem problem = winograd_problem(op, inputs, outputs);
  const std::optional<WinogradTile> best = choose_winograd_tile(problem.sizes, problem.overhead);
  if (!best) return "too few channels and pixels to gain by it";
  return best == tile ? nullptr : "another tile takes fewer multiplications";
}

template <class Op, WinogradTile tile>
size_t conv2d_winograd_scratch(const Op& op, Inputs inputs, std::span<const Tensor> outputs) {
  return scratch_of<typename WorkOf<Op>::Type>(winograd_problem(op, inputs, outputs), tile, inputs, outputs);
}

template <class Op, WinogradTile tile>
void conv2d_winograd(const Op& op, Inputs inputs, Outputs outputs, void* scratch) {
  run_with<typename WorkOf<Op>::Type>(scratch, winograd_problem(op, inputs, outputs), tile, inputs,
                                      std::span<const Tensor>(outputs));
}

/// Of operations whose second input is the weight.
template <class Op, WinogradTile tile>
std::unique_ptr<const PreparedKernel> prepare_conv2d_winograd(const Op& op, Inputs inputs,
                                                              std::span<const Tensor> outputs,
                                                              uint32_t constants) {
  if (!(constants & 0b10u)) return nullptr;
  return std::make_unique<PreparedWinograd>(winograd_problem(op, inputs, outputs), tile, inputs, outputs);
}

#define ESPALIER_WINOGRAD_TILE(Op, tile)                                                             \
  template const char* conv2d_winograd_yields<Op, tile>(const Op&, Inputs, std::span<const Tensor>); \
  template size_t conv2d_winograd_scratch<Op, tile>(const Op&, Inputs, std::span<const Tensor>);     \
  template void conv2d_winograd<Op, tile>(const Op&, Inputs, Outputs, void*);
#define ESPALIER_WINOGRAD_OPERATION(Op)                                                          \
  template const char* conv2d_winograd_declines<Op>(const Op&, Inputs, std::span<const Tensor>); \
  ESPALIER_WINOGRAD_TILE(Op, WinogradTile::two)                                                  \
  ESPALIER_WINOGRAD_TILE(Op, WinogradTile::four)
#define ESPALIER_PREPARED_WINOGRAD(Op, tile)                                        \
  template std::unique_ptr<const PreparedKernel> prepare_conv2d_winograd<Op, tile>( \
      const Op&, Inputs, std::span<const Tensor>, uint32_t);
#define ESPALIER_WINOGRAD_CONVOLUTION(Op)           \
  ESPALIER_WINOGRAD_OPERATION(Op)                   \
  ESPALIER_PREPARED_WINOGRAD(Op, WinogradTile::two) \
  ESPALIER_PREPARED_WINOGRAD(Op, WinogradTile::four)

ESPALIER_WINOGRAD_CONVOLUTION(Conv2d)
ESPALIER_WINOGRAD_CONVOLUTION(FusedConv2d)
ESPALIER_WINOGRAD_CONVOLUTION(Conv2dBackwardData)
ESPALIER_WINOGRAD_OPERATION(Conv2dBackwardWeights)

}  // namespace espalier
