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
#include "ops/fused_conv2d.h"
#include "ops/random.h"
#include "ops/winograd_internal.h"

namespace espalier::test {
namespace {

// Distances from double precision, in relative L2. F(2, 3) adds up to four terms of 1/4 before the products
// and after; F(4, 3) scales by up to 8 and 1/24. Measured at these sizes: 5e-7 and 2e-6.
double bound_of(WinogradTile tile) {
  return tile == WinogradTile::two ? 2e-6 : 8e-6;
}

double distance(const Tensor& from, const Tensor& to) {
  const std::vector<double> a = cast(from, Dtype::f64).to_vector<double>(), b = to.to_vector<double>();
  double squares = 0, all = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    squares += (a[i] - b[i]) * (a[i] - b[i]);
    all += b[i] * b[i];
  }
  return std::sqrt(squares / all);
}

Tensor wide(const Tensor& x) {
  return x.defined() ? cast(x, Dtype::f64) : x;
}

Tensor image(const Shape& shape) {
  return apply_one(Copy(Copy::Layout::channels_last), normal(shape));
}

float* floats(const Tensor& x) {
  return x.defined() ? static_cast<float*>(x.raw_data()) : nullptr;
}

/// Memory whose old contents would show.
Tensor dirty(int64_t floats) {
  return full({floats}, std::nan(""));
}

struct WinogradCase {
  Shape x;
  int64_t channels;  // of y
  Size2d padding;

  Shape weight() const { return {channels, x[1], 3, 3}; }
  Shape y() const { return {x[0], channels, x[2] + 2 * padding.height - 2, x[3] + 2 * padding.width - 2}; }
  WinogradSizes sizes() const { return {x[0], x[1], channels, {x[2], x[3]}, {y()[2], y()[3]}, padding}; }
};

// Channels short of a vector, of a panel and just beyond; images short of a tile; strips and blocks of
// several.
const WinogradCase kWinogradCases[] = {{{2, 3, 5, 7}, 4, 1},     {{1, 17, 9, 6}, 33, {0, 2}},
                                       {{3, 1, 4, 5}, 1, 0},     {{3, 32, 8, 8}, 16, 1},
                                       {{1, 70, 4, 13}, 130, 1}, {{2, 5, 1, 2}, 3, {1, 2}},
                                       {{4, 48, 20, 20}, 48, 1}, {{2, 300, 6, 6}, 40, {2, 0}}};

struct WinogradLevels {
  CpuLevel best = cpu_level();
  ~WinogradLevels() { set_cpu_level(best); }

  template <class Test>
  void each(const Test& test) const {
    for (const CpuLevel level : {CpuLevel::baseline, CpuLevel::avx2, best}) {
      if (level > best) continue;
      set_cpu_level(level);
      for (const WinogradTile tile : {WinogradTile::two, WinogradTile::four}) {
        for (const WinogradCase& c : kWinogradCases) {
          SCOPED_TRACE(to_string(c.x) + " to " + std::to_string(c.channels) + " channels, tile " +
                       std::to_string(static_cast<int>(tile)) + ", level " +
                       std::to_string(static_cast<int>(level)));
          test(c, tile);
        }
      }
    }
  }
};

Tensor convolved(const WinogradCase& c, WinogradTile tile, int threads, const Tensor& x, const Tensor& weight,
                 const WinogradEpilogue& epilogue = {}) {
  const WinogradConvolution convolution(c.sizes(), tile, threads);
  const Tensor filters = dirty(convolution.filter_floats()), scratch = dirty(convolution.scratch_floats());
  const Tensor y = image(c.y());
  convolution.transform_filters({floats(weight), 9, 9 * c.x[1], false}, floats(filters));
  convolution.run(floats(x), floats(filters), epilogue, floats(y), floats(scratch));
  return y;
}

TEST(Winograd, ConvolvesLikeDoublePrecisionOnEveryInstructionSet) {
  manual_seed(5);
  WinogradLevels().each([](const WinogradCase& c, WinogradTile tile) {
    const Tensor x = image(c.x), weight = normal(c.weight()), bias = normal({c.channels}),
                 residual = image(c.y());
    const Conv2dOptions options{.padding = c.padding};
    EXPECT_LT(distance(convolved(c, tile, 1, x, weight), conv2d(wide(x), wide(weight), {}, options)),
              bound_of(tile));
    const Tensor all = fused_conv2d(wide(x), wide(weight), wide(bias), wide(residual), {options, true});
    EXPECT_LT(distance(convolved(c, tile, 2, x, weight, {floats(bias), floats(residual), true}), all),
              bound_of(tile));
  });
}

TEST(Winograd, GivesTheSameBitsOnAnyNumberOfThreads) {
  manual_seed(6);
  for (const WinogradCase& c : kWinogradCases) {
    const Tensor x = image(c.x), weight = normal(c.weight());
    const std::vector<float> one = convolved(c, WinogradTile::four, 1, x, weight).to_vector<float>();
    for (const int threads : {2, 3, 8})
      EXPECT_EQ(convolved(c, WinogradTile::four, threads, x, weight).to_vector<float>(), one)
          << to_string(c.x);
  }
}

TEST(Winograd, RotatedFiltersGiveTheGradientOfTheImage) {
  manual_seed(7);
  WinogradLevels().each([](const WinogradCase& c, WinogradTile tile) {
    const Tensor dy = image(c.y()), weight = normal(c.weight()), dx = image(c.x);
    WinogradSizes sizes = c.sizes();
    std::swap(sizes.in, sizes.out);
    std::swap(sizes.in_channels, sizes.out_channels);
    sizes.padding = {2 - c.padding.height, 2 - c.padding.width};
    const WinogradConvolution convolution(sizes, tile, 2);
    const Tensor filters = dirty(convolution.filter_floats()), scratch = dirty(convolution.scratch_floats());
    convolution.transform_filters({floats(weight), 9 * c.x[1], 9, true}, floats(filters));
    convolution.run(floats(dy), floats(filters), {}, floats(dx), floats(scratch));
    const Conv2dBackwardData op({.padding = c.padding}, {c.x[2], c.x[3]});
    EXPECT_LT(distance(dx, apply_one(op, wide(dy), wide(weight))), bound_of(tile));
  });
}

TEST(Winograd, GradientsOfFiltersAreThoseOfDoublePrecision) {
  manual_seed(8);
  WinogradLevels().each([](const WinogradCase& c, WinogradTile tile) {
    const Tensor x = image(c.x), dy = image(c.y());
    const Conv2dBackwardWeights op({.padding = c.padding}, 3, false);
    const Tensor expected = apply_one(op, wide(x), wide(dy));
    for (const int threads : {1, 3}) {
      const WinogradFilterGradient gradient(c.sizes(), tile, threads);
      const Tensor dw = full(c.weight(), std::nan("")), scratch = dirty(gradient.scratch_floats());
      gradient.run(floats(x), floats(dy), floats(dw), floats(scratch));
      EXPECT_LT(distance(dw, expected), bound_of(tile)) << threads << " threads";
    }
  });
}

TEST(Winograd, EveryRangeOfTilesHasABlock) {
  for (const int64_t images : {1, 7, 130, 1000}) {
    for (const int threads : {1, 2, 48, 130, 1000}) {
      const WinogradSizes sizes{images, 16, 48, 44, 44, 1};
      for (const WinogradDivision& d : {WinogradDivision::of_images(sizes, WinogradTile::four, threads),
                                        WinogradDivision::of_filters(sizes, WinogradTile::four, threads)}) {
        EXPECT_LE(d.ranges, d.blocks) << images << " images, " << threads << " threads";
        EXPECT_EQ(d.workers, d.parts * d.ranges);
        EXPECT_LE(d.workers, threads);
        EXPECT_GE(d.blocks * d.block_tiles, d.tiles);
      }
    }
  }
}

TEST(Winograd, NaNGoesThroughReLU) {
  const WinogradCase c{{1, 4, 4, 4}, 4, 1};
  const Tensor x = full(c.x, std::nan("")), weight = normal(c.weight());
  const Tensor y = convolved(c, WinogradTile::four, 1, apply_one(Copy(Copy::Layout::channels_last), x),
                             weight, {.bias = nullptr, .residual = nullptr, .relu = true});
  for (const float value : y.to_vector<float>()) EXPECT_TRUE(std::isnan(value));
}

TEST(Winograd, TheFewestMultiplicationsDecide) {
  const auto chosen = [](int64_t images, int64_t in, int64_t out, int64_t size, int64_t overhead) {
    return choose_winograd_tile({images, in, out, size, size, 1}, overhead);
  };
  EXPECT_EQ(chosen(16, 64, 128, 32, 10), WinogradTile::four);
  EXPECT_EQ(chosen(1, 64, 64, 8, 0), WinogradTile::four);
  EXPECT_EQ(chosen(1, 64, 64, 2, 0), WinogradTile::two);
  EXPECT_EQ(chosen(1, 64, 64, 8, 64), std::nullopt);  // sums of planes for four tiles
  EXPECT_EQ(chosen(128, 3, 64, 32, 10), std::nullopt);
}

// As programs meet it: through the door, in all three directions, from any layout.
TEST(Winograd, IsWhatLargeConvolutionsRunOn) {
  manual_seed(9);
  const Tensor x = normal({4, 32, 20, 20}), weight = normal({48, 32, 3, 3}), bias = normal({48});
  const Conv2dOptions options{.padding = 1};
  const Tensor y = conv2d(x, weight, bias, options);
  const auto kernel_of = [](const Operation& op, Inputs inputs, const Tensor& output) {
    return std::string(choose_kernel(op, inputs, {&output, 1}, kCpu).name);
  };
  const Conv2dBackwardData data(options, {20, 20});
  const Conv2dBackwardWeights weights(options, 3, true);
  const Tensor dy = normal(y.shape());
  const Tensor dx = apply_one(data, dy, weight);
  const Tensors dw = apply(weights, {x, dy});
  const Tensor inputs[] = {x, weight, bias}, gradients[] = {dy, weight}, both[] = {x, dy};
  EXPECT_EQ(kernel_of(Conv2d(options), inputs, y), "winograd 4x4");
  EXPECT_EQ(kernel_of(data, gradients, dx), "winograd 4x4");
  EXPECT_EQ(choose_kernel(weights, both, dw, kCpu).name, std::string("winograd 4x4"));
  EXPECT_LT(distance(y, conv2d(wide(x), wide(weight), wide(bias), options)), bound_of(WinogradTile::four));
  EXPECT_LT(distance(dx, apply_one(data, wide(dy), wide(weight))), bound_of(WinogradTile::four));
  const Tensors exact = apply(weights, {wide(x), wide(dy)});
  EXPECT_LT(distance(dw[0], exact[0]), bound_of(WinogradTile::four));
  EXPECT_LT(distance(dw[1], exact[1]), bound_of(WinogradTile::four));
}

}  // namespace
}  // namespace espalier::test
