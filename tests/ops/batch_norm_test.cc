#include "ops/batch_norm.h"

#include <cmath>

#include <gtest/gtest.h>

#include "autograd/autograd.h"
#include "core/parallel.h"
#include "ops/add.h"
#include "tests/ops/images.h"
#include "tests/support/op_test.h"

namespace espalier::test {
namespace {

struct Statistics {
  Array mean, variance;  ///< the variance with divisor n
  double n = 0;
};

Statistics statistics_of(const Array& x) {
  const Shape channels = {x.shape[1]};
  Statistics s{Array(channels), Array(channels), 0};
  s.n = static_cast<double>(count(x.shape)) / static_cast<double>(std::max<int64_t>(x.shape[1], 1));
  for_each_index(x.shape, [&](const Dims& i) { s.mean[i[1]] += x.at(i) / s.n; });
  for_each_index(x.shape,
                 [&](const Dims& i) { s.variance[i[1]] += std::pow(x.at(i) - s.mean[i[1]], 2) / s.n; });
  return s;
}

/// y from inputs x, weight, bias (empty arrays where absent).
Array normalized(const Arrays& in, const Statistics& s, double eps) {
  Array y(in[0].shape);
  const bool weight = !in[1].shape.empty(), bias = !in[2].shape.empty();
  for_each_index(y.shape, [&](const Dims& i) {
    const int64_t c = i[1];
    const double unit = (in[0].at(i) - s.mean[c]) / std::sqrt(s.variance[c] + eps);
    y.at(i) = unit * (weight ? in[1][c] : 1) + (bias ? in[2][c] : 0);
  });
  return y;
}

OpSample training(std::string label, const Shape& x, bool affine, double eps = 1e-5) {
  const Shape channels = {x[1]};
  return {std::move(label),
          {{x}, {.shape = channels, .absent = !affine}, {.shape = channels, .absent = !affine}},
          [=](Inputs in) {
            return Tensors{batch_norm(in[0], in[1], in[2], {}, {}, {.training = true, .eps = eps})};
          },
          [=](const Arrays& in) { return Arrays{normalized(in, statistics_of(in[0]), eps)}; }};
}

OpSample evaluation(std::string label, const Shape& x, bool affine) {
  const Shape channels = {x[1]};
  return {std::move(label),
          {{x},
           {.shape = channels, .absent = !affine},
           {.shape = channels, .absent = !affine},
           {.shape = channels, .differentiable = false},
           {.shape = channels, .low = 0.5, .differentiable = false}},
          [=](Inputs in) { return Tensors{batch_norm(in[0], in[1], in[2], in[3], in[4], {.eps = 1e-3})}; },
          [=](const Arrays& in) { return Arrays{normalized(in, {in[3], in[4], 0}, 1e-3)}; }};
}

/// The running statistics; they take no part in differentiation, so nothing here does.
OpSample running(std::string label, const Shape& x, double momentum) {
  const InputSpec parameter{.shape = {x[1]}, .low = 0.5, .differentiable = false};
  return {std::move(label),
          {{.shape = x, .differentiable = false}, parameter, parameter, parameter, parameter},
          [=](Inputs in) {
            const Tensor y =
                batch_norm(in[0], in[1], in[2], in[3], in[4], {.training = true, .momentum = momentum});
            return Tensors{y, in[3], in[4]};
          },
          [=](const Arrays& in) {
            const Statistics s = statistics_of(in[0]);
            Arrays expected = {normalized(in, s, 1e-5), in[3], in[4]};
            for (int64_t c = 0; c < x[1] && s.n > 0; ++c) {
              expected[1][c] += momentum * (s.mean[c] - in[3][c]);
              expected[2][c] += momentum * (s.variance[c] * s.n / (s.n - 1) - in[4][c]);
            }
            return expected;
          }};
}

/// Numbers that tell one element from the next, with a mean far from zero.
Tensor far_from_zero(const Shape& shape) {
  Tensor x = empty(shape);
  float* values = x.mutable_data<float>();
  for (int64_t i = 0; i < x.numel(); ++i) values[i] = 1000.0f + static_cast<float>(i * 7919 % 1024) / 512.0f;
  return x;
}

TEST(BatchNorm, IsAccurateFarFromZeroInBothLayouts) {
  const Tensor x = far_from_zero({16, 3, 40, 40});
  Array array(x.shape());
  const std::vector<float> values = x.to_vector<float>();
  array.values.assign(values.begin(), values.end());
  const Array expected = normalized({array, Array(), Array()}, statistics_of(array), 1e-5);
  for (const Tensor& input : {x, channels_last(x)}) {
    const std::vector<float> y = batch_norm(input, {}, {}, {}, {}, {.training = true}).to_vector<float>();
    for (size_t i = 0; i < y.size(); ++i) {
      // The mean is a float, off by up to 2^-15, and so are the sums of its blocks; the deviation is 0.58.
      ASSERT_NEAR(y[i], expected.values[i], 2e-4);
    }
  }
}

TEST(BatchNorm, IsTheSameForAnyNumberOfThreads) {
  const auto run = [](const Tensor& x, int threads) {
    const ThreadCountGuard guard(threads);
    const Tensor leaf = requires_grad_(x.detach());
    const Tensor weight = requires_grad_(full({x.shape()[1]}, 2.0));
    const Tensor y = batch_norm(leaf, weight, {}, {}, {}, {.training = true});
    const std::vector<Tensor> leaves = {leaf, weight};
    const std::vector<Tensor> gradients = grad(y, leaves, {.gradients = {x}});
    return std::vector{y.to_vector<float>(), gradients[0].to_vector<float>(),
                       gradients[1].to_vector<float>()};
  };
  const Tensor x = far_from_zero({8, 24, 30, 30});
  for (const Tensor& input : {x, channels_last(x)}) EXPECT_EQ(run(input, 1), run(input, 3));
}

TEST(BatchNorm, RunningStatisticsMayMoveBetweenForwardAndBackward) {
  const Tensor x = requires_grad_(far_from_zero({4, 2, 3, 3}));
  const Tensor mean = zeros({2}), variance = ones({2});
  const BatchNormOptions options{.training = true};
  const Tensor y =
      batch_norm(x, {}, {}, mean, variance, options) + batch_norm(x, {}, {}, mean, variance, options);
  EXPECT_NO_THROW(grad(y, x, {.gradients = {ones(y.shape())}, .create_graph = true}));
}

}  // namespace

OpTest batch_norm_test() {
  std::vector<OpSample> samples = in_both_layouts({
      training("training", {2, 3, 4, 3}, true),
      training("training without parameters", {3, 2, 2, 3}, false, 0.1),
      evaluation("evaluation", {2, 3, 2, 3}, true),
      evaluation("evaluation without parameters", {2, 2, 1, 3}, false),
      running("running statistics", {2, 5, 3, 4}, 0.1),
      running("as many channels as several vectors and a rest", {2, 91, 2, 2}, 0.3),
      running("several blocks", {3, 2, 20, 30}, 1.0),
      running("no images", {0, 3, 2, 2}, 0.1),
      training("one pixel", {5, 3, 1, 1}, true),
      evaluation("no channels", {2, 0, 2, 2}, true),
  });
  samples.push_back(training("rows", {6, 4}, true));
  samples.push_back(training("sequences", {3, 2, 4}, true));
  samples.push_back(training("volumes", {2, 2, 2, 1, 2}, true));
  samples.push_back(running("long rows", {70, 40}, 0.1));
  const Tensor x = zeros({2, 3, 4, 4}), three = zeros({3});
  return {
      .name = "batch_norm",
      .covers = {"batch_norm_backward"},
      .samples = std::move(samples),
      .errors =
          {
              {"rank",
               [three] { batch_norm(three, {}, {}, {}, {}, {.training = true}); },
               "ShapeError",
               {"batch_norm", "f32[3]", "N and C"}},
              {"weight",
               [x] { batch_norm(x, zeros({4}), {}, {}, {}, {.training = true}); },
               "ShapeError",
               {"batch_norm", "weight", "[4]", "[3]", "[2, 3, 4, 4]"}},
              {"running statistics of another size",
               [x] { batch_norm(x, {}, {}, zeros({4}), zeros({4}), {.training = true}); },
               "ShapeError",
               {"batch_norm", "running_mean", "[4]", "[3]", "[2, 3, 4, 4]"}},
              {"type of a parameter",
               [x] { batch_norm(x, zeros({3}, Dtype::f64), {}, {}, {}, {.training = true}); },
               "TypeError",
               {"batch_norm", "weight", "f64[3]", "f32"}},
              {"one value a channel",
               [] { batch_norm(zeros({1, 3, 1, 1}), {}, {}, {}, {}, {.training = true}); },
               "ValueError",
               {"batch_norm", "more than one value", "[1, 3, 1, 1]"}},
              {"evaluation without statistics",
               [x] { batch_norm(x, {}, {}, {}, {}); },
               "ValueError",
               {"batch_norm", "running"}},
              {"half of the statistics",
               [x, three] { batch_norm(x, {}, {}, three, {}, {.training = true}); },
               "ValueError",
               {"batch_norm", "running_mean", "running_var"}},
              {"eps",
               [x] { batch_norm(x, {}, {}, {}, {}, {.training = true, .eps = -1}); },
               "ValueError",
               {"batch_norm", "eps"}},
              {"momentum",
               [x] { batch_norm(x, {}, {}, {}, {}, {.training = true, .momentum = std::nan("")}); },
               "ValueError",
               {"batch_norm", "momentum"}},
              {"undefined",
               [] { batch_norm(Tensor(), {}, {}, {}, {}, {.training = true}); },
               "ValueError",
               {"batch_norm", "undefined"}},
              {"running statistics that require a gradient",
               [x] {
                 const Tensor mean = requires_grad_(zeros({3}));
                 batch_norm(x, {}, {}, mean, ones({3}), {.training = true});
               },
               "GradientError",
               {"batch_norm", "in place"}},
          },
      .tolerance = 16,  // the mean, the deviation and two operations, of numbers up to 4
      .benchmarks = {channels_last_sample(training("128x16x32x32", {128, 16, 32, 32}, true)),
                     training("128x16x32x32 row-major", {128, 16, 32, 32}, true)},
  };
}

}  // namespace espalier::test
