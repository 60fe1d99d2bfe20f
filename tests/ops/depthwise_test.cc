#include <cmath>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "core/cpu_features.h"
#include "core/create.h"
#include "core/door.h"
#include "core/parallel.h"
#include "ops/cast.h"
#include "ops/copy.h"
#include "ops/depthwise_internal.h"
#include "ops/fused_conv2d.h"
#include "ops/random.h"

namespace espalier::test {
namespace {

// Sums of up to 35 products, or of all pixels where gradients of filters are added up: in relative L2 each of
// the n roundings adds some 1e-8 times the root of n. Measured: 2e-7.
constexpr double kDepthwiseBound = 1e-6;

struct DepthwiseCase {
  int64_t images, channels;
  Size2d image, kernel;
  Conv2dOptions options;

  Conv2dOptions conv() const {
    Conv2dOptions all = options;
    all.groups = channels;
    return all;
  }
  DepthwiseSizes sizes() const {
    const Window window{kernel, options.stride, options.padding, options.dilation};
    return {images, channels, window.rows(image.height), window.columns(image.width)};
  }
  Shape x() const { return {images, channels, image.height, image.width}; }
  Shape weight() const { return {channels, 1, kernel.height, kernel.width}; }
  Shape y() const { return {images, channels, sizes().rows.windows(), sizes().columns.windows()}; }
};

// Channels short of a vector, of a block, and beyond; one pixel; rows of one strip and of several; windows
// that lie outside in whole; strides that no tap reaches, that share taps with the dilation, and others.
const DepthwiseCase kDepthwiseCases[] = {
    {2, 5, {6, 7}, 3, {.padding = 1}},
    {1, 16, {1, 1}, 3, {.padding = 1}},
    {2, 37, {9, 30}, 5, {.padding = 2}},
    {1, 200, {4, 9}, 3, {.padding = 1}},
    {2, 330, {3, 5}, {1, 2}, {}},
    {1, 20, {11, 20}, 3, {.stride = 2, .padding = 1}},
    {2, 7, {12, 9}, {5, 4}, {.stride = Size2d(3, 2), .padding = Size2d(0, 3)}},
    {1, 18, {13, 24}, 3, {.padding = 2, .dilation = 2}},
    {1, 18, {13, 24}, 3, {.stride = 2, .padding = 4, .dilation = Size2d(4, 3)}},
    {1, 33, {8, 17}, {7, 7}, {.padding = 3}},
    {3, 4, {5, 6}, 1, {.stride = 3}},
    {1, 3, {2, 2}, 3, {.padding = 5}},
};

float* floats_in(const Tensor& x) {
  return x.defined() ? static_cast<float*>(x.raw_data()) : nullptr;
}

Tensor random_image(const Shape& shape) {
  return apply_one(Copy(Copy::Layout::channels_last), normal(shape));
}
/// Memory whose old contents would show.
Tensor dirty_image(const Shape& shape) {
  return apply_one(Copy(Copy::Layout::channels_last), full(shape, std::nan("")));
}
Tensor in_f64(const Tensor& x) {
  return x.defined() ? cast(x, Dtype::f64) : x;
}

double relative_distance(const Tensor& from, const Tensor& to) {
  const std::vector<double> a = in_f64(from).to_vector<double>(), b = to.to_vector<double>();
  double squares = 0, all = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    squares += (a[i] - b[i]) * (a[i] - b[i]);
    all += b[i] * b[i];
  }
  return squares == 0 ? 0 : std::sqrt(squares / all);
}

Tensor packed_filters(const DepthwiseCase& c, const Tensor& weight) {
  const Tensor packed = full({c.sizes().taps(), c.channels}, std::nan(""));
  pack_depthwise_filters(floats_in(weight), c.channels, c.sizes().taps(), floats_in(packed));
  return packed;
}

Tensor convolved(const DepthwiseCase& c, const Tensor& x, const Tensor& weight,
                 const DepthwiseEpilogue& epilogue = {}) {
  const Tensor y = dirty_image(c.y());
  depthwise_forward(c.sizes(), floats_in(x), floats_in(packed_filters(c, weight)), epilogue, floats_in(y));
  return y;
}
Tensor data_gradient(const DepthwiseCase& c, const Tensor& dy, const Tensor& weight) {
  const Tensor dx = dirty_image(c.x());
  depthwise_backward_data(c.sizes(), floats_in(dy), floats_in(packed_filters(c, weight)), floats_in(dx));
  return dx;
}
/// Of the filters and of the bias.
Tensors filter_gradients(const DepthwiseCase& c, const Tensor& x, const Tensor& dy) {
  const Tensors made = {full(c.weight(), std::nan("")), full({c.channels}, std::nan(""))};
  const Tensor scratch = full({depthwise_gradient_floats(c.sizes())}, std::nan(""));
  depthwise_backward_filters(c.sizes(), floats_in(x), floats_in(dy), floats_in(made[0]), floats_in(made[1]),
                             floats_in(scratch));
  return made;
}

/// Calls `test` for all cases on each instruction set.
template <class Test>
void for_each_depthwise_case(const Test& test) {
  const CpuLevel best = cpu_level();
  for (const CpuLevel level : {CpuLevel::baseline, CpuLevel::avx2, best}) {
    if (level > best) continue;
    set_cpu_level(level);
    for (const DepthwiseCase& c : kDepthwiseCases) {
      SCOPED_TRACE(to_string(c.x()) + " by " + to_string(c.weight()) + ", level " +
                   std::to_string(static_cast<int>(level)));
      test(c);
    }
  }
  set_cpu_level(best);
}

TEST(Depthwise, ConvolvesLikeDoublePrecisionOnEveryInstructionSet) {
  manual_seed(21);
  for_each_depthwise_case([](const DepthwiseCase& c) {
    const Tensor x = random_image(c.x()), weight = normal(c.weight()), bias = normal({c.channels}),
                 residual = random_image(c.y());
    EXPECT_LT(relative_distance(convolved(c, x, weight), conv2d(in_f64(x), in_f64(weight), {}, c.conv())),
              kDepthwiseBound);
    const Tensor all =
        fused_conv2d(in_f64(x), in_f64(weight), in_f64(bias), in_f64(residual), {c.conv(), true});
    EXPECT_LT(relative_distance(convolved(c, x, weight, {floats_in(bias), floats_in(residual), true}), all),
              kDepthwiseBound);
  });
}

TEST(Depthwise, GradientsAreThoseOfDoublePrecisionOnEveryInstructionSet) {
  manual_seed(22);
  for_each_depthwise_case([](const DepthwiseCase& c) {
    const Tensor x = random_image(c.x()), weight = normal(c.weight()), dy = random_image(c.y());
    const Tensor dx = apply_one(Conv2dBackwardData(c.conv(), c.image), in_f64(dy), in_f64(weight));
    EXPECT_LT(relative_distance(data_gradient(c, dy, weight), dx), kDepthwiseBound);
    const Tensors of_filters =
        apply(Conv2dBackwardWeights(c.conv(), c.kernel, true), {in_f64(x), in_f64(dy)});
    const Tensors made = filter_gradients(c, x, dy);
    EXPECT_LT(relative_distance(made[0], of_filters[0]), kDepthwiseBound);
    EXPECT_LT(relative_distance(made[1], of_filters[1]), kDepthwiseBound);
  });
}

TEST(Depthwise, GivesTheSameBitsForAnyNumberOfThreads) {
  manual_seed(23);
  // Large enough to be divided.
  for (const DepthwiseCase& c : {DepthwiseCase{3, 200, {30, 31}, 3, {.padding = 1}},
                                 DepthwiseCase{2, 36, {41, 50}, 5, {.stride = 2, .padding = 2}}}) {
    const Tensor x = random_image(c.x()), weight = normal(c.weight()), dy = random_image(c.y());
    const auto all = [&](int threads) {
      const ThreadCountGuard guard(threads);
      const Tensors of_filters = filter_gradients(c, x, dy);
      std::vector<std::vector<float>> bits;
      for (const Tensor& made :
           {convolved(c, x, weight), data_gradient(c, dy, weight), of_filters[0], of_filters[1]})
        bits.push_back(made.to_vector<float>());
      return bits;
    };
    const auto one = all(1);
    for (const int threads : {2, 3, 7}) EXPECT_EQ(all(threads), one) << threads << " threads";
  }
}

TEST(Depthwise, NaNReachesWhatSeesItAndGoesThroughReLU) {
  const DepthwiseCase c{1, 20, {5, 12}, 3, {.padding = 1}};
  const Tensor x = apply_one(Copy(Copy::Layout::channels_last), full(c.x(), 1.0)),
               weight = full(c.weight(), 1.0);
  const int64_t row = 2, column = 7, channel = 18;
  floats_in(x)[(row * c.image.width + column) * c.channels + channel] = std::nanf("");
  const Tensor y = convolved(c, x, weight, {.bias = nullptr, .residual = nullptr, .relu = true});
  for (int64_t i = 0; i < y.numel(); ++i) {
    const int64_t pixel = i / c.channels;
    const bool sees = i % c.channels == channel && std::abs(pixel / c.image.width - row) <= 1 &&
                      std::abs(pixel % c.image.width - column) <= 1;
    EXPECT_EQ(std::isnan(floats_in(y)[i]), sees) << i;
  }
}

// An infinite tap times a zero outside would be NaN.
TEST(Depthwise, LeavesOutWhatLiesOutside) {
  const DepthwiseCase c{1, 17, {3, 3}, 3, {.padding = 1}};
  const Tensor x = apply_one(Copy(Copy::Layout::channels_last), full(c.x(), 1.0)),
               weight = full(c.weight(), 1.0);
  for (int64_t channel = 0; channel < c.channels; ++channel) floats_in(weight)[channel * 9] = INFINITY;
  const Tensor y = convolved(c, x, weight), dx = data_gradient(c, x, weight);
  for (int64_t i = 0; i < y.numel(); ++i) {
    const int64_t row = i / c.channels / 3, column = i / c.channels % 3;
    EXPECT_EQ(std::isinf(floats_in(y)[i]), row > 0 && column > 0) << i;
    EXPECT_EQ(std::isinf(floats_in(dx)[i]), row < 2 && column < 2) << i;
    EXPECT_FALSE(std::isnan(floats_in(y)[i]) || std::isnan(floats_in(dx)[i])) << i;
  }
}

// As programs meet it: through the door, in all three directions, from any layout.
TEST(Depthwise, IsWhatDepthwiseConvolutionsRunOn) {
  manual_seed(24);
  const Conv2dOptions options{.padding = 1, .groups = 24};
  const Tensor x = normal({2, 24, 9, 10}), weight = normal({24, 1, 3, 3}), bias = normal({24});
  const Tensor y = conv2d(x, weight, bias, options), dy = normal(y.shape());
  const Conv2dBackwardData data(options, {9, 10});
  const Conv2dBackwardWeights weights(options, 3, true);
  const Tensor dx = apply_one(data, dy, weight);
  const Tensors dw = apply(weights, {x, dy});
  const Tensor inputs[] = {x, weight, bias}, gradients[] = {dy, weight}, both[] = {x, dy};
  EXPECT_EQ(choose_kernel(Conv2d(options), inputs, {&y, 1}, kCpu).name, std::string("depthwise"));
  EXPECT_EQ(choose_kernel(data, gradients, {&dx, 1}, kCpu).name, std::string("depthwise"));
  EXPECT_EQ(choose_kernel(weights, both, dw, kCpu).name, std::string("depthwise"));
  EXPECT_LT(relative_distance(y, conv2d(in_f64(x), in_f64(weight), in_f64(bias), options)), kDepthwiseBound);
  EXPECT_LT(relative_distance(dx, apply_one(data, in_f64(dy), in_f64(weight))), kDepthwiseBound);
  const Tensors exact = apply(weights, {in_f64(x), in_f64(dy)});
  EXPECT_LT(relative_distance(dw[0], exact[0]), kDepthwiseBound);
  EXPECT_LT(relative_distance(dw[1], exact[1]), kDepthwiseBound);
}

TEST(Depthwise, SizesDecide) {
  const auto sizes = [](int64_t channels, int64_t pixels, int64_t kernel, int64_t stride) {
    const Window window{kernel, stride, kernel / 2};
    return DepthwiseSizes{1, channels, window.rows(pixels), window.columns(pixels)};
  };
  EXPECT_TRUE(depthwise_forward_pays(sizes(20, 14, 3, 1)));
  EXPECT_TRUE(depthwise_forward_pays(sizes(240, 14, 5, 1)));
  EXPECT_FALSE(depthwise_forward_pays(sizes(576, 14, 3, 1)));
  EXPECT_FALSE(depthwise_forward_pays(sizes(20, 14, 3, 2)));
  EXPECT_TRUE(depthwise_backward_data_pays(sizes(960, 7, 3, 1)));
  EXPECT_TRUE(depthwise_backward_data_pays(sizes(240, 14, 5, 1)));
  EXPECT_FALSE(depthwise_backward_data_pays(sizes(144, 56, 3, 1)));
  EXPECT_TRUE(depthwise_backward_filters_pays(sizes(144, 56, 3, 1)));
  EXPECT_TRUE(depthwise_backward_filters_pays(sizes(240, 28, 5, 2)));
  EXPECT_FALSE(depthwise_backward_filters_pays(sizes(576, 14, 3, 2)));
}

TEST(Depthwise, DeclinesWhatIsNot) {
  const Tensor x = normal({1, 4, 5, 5}), y = random_image({1, 8, 3, 3});
  for (const int64_t groups : {1, 2, 4}) {  // one group, groups of two channels, two filters for each channel
    const Tensor inputs[] = {x, normal({8, 4 / groups, 3, 3}), Tensor()};
    for (const Kernel* kernel : contenders(Conv2d({.groups = groups}), inputs, {&y, 1}, kCpu))
      EXPECT_NE(kernel->name, std::string("depthwise")) << groups << " groups";
  }
}

}  // namespace
}  // namespace espalier::test
