#include "nn/init.h"

#include <algorithm>
#include <cmath>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "autograd/autograd.h"
#include "core/error.h"
#include "core/parallel.h"
#include "nn/linear.h"
#include "ops/matmul.h"
#include "ops/permute.h"
#include "ops/reshape.h"
#include "tests/nn/layer_checks.h"
#include "tests/support/message_of.h"

namespace espalier::nn {
namespace {

using test::message_of;
using test::Moments;
using testing::Each;
using testing::HasSubstr;

// Over 100,000 numbers a deviation is known to 0.3 % (its standard error is 1 / sqrt(2 n)), a mean to 0.003
// deviations, a kurtosis of 3 to 0.016 (sqrt(24 / n)); tests allow four times that.
const Shape kWeight = {250, 400};
constexpr double kClose = 0.012;

void expect_uniform_moments(const Tensor& tensor, double bound) {
  const Moments m(tensor);
  EXPECT_GE(m.least, -bound);
  EXPECT_LE(m.largest, bound);
  EXPECT_NEAR(m.least / bound, -1, 1e-3);
  EXPECT_NEAR(m.mean / bound, 0, kClose);
  EXPECT_NEAR(m.deviation / bound, 1 / std::sqrt(3.0), kClose);
  EXPECT_NEAR(m.fourth, 1.8, 0.07);
}

void expect_normal(const Tensor& tensor, double deviation) {
  const Moments m(tensor);
  EXPECT_NEAR(m.mean / deviation, 0, kClose);
  EXPECT_NEAR(m.deviation / deviation, 1, kClose);
  EXPECT_NEAR(m.fourth, 3, 0.07);
}

TEST(Init, XavierUsesBothFans) {
  expect_uniform_moments(xavier_uniform_(empty(kWeight), 1, Generator(1)), std::sqrt(6.0 / 650));
  expect_uniform_moments(xavier_uniform_(empty(kWeight), 2, Generator(1)), 2 * std::sqrt(6.0 / 650));
  expect_normal(xavier_normal_(empty(kWeight), 1, Generator(2)), std::sqrt(2.0 / 650));
}

TEST(Init, KaimingUsesOneFanAndTheGain) {
  const double tanh_gain = gain_of(Nonlinearity::tanh);
  expect_uniform_moments(kaiming_uniform_(empty(kWeight), std::sqrt(2.0), Fan::in, Generator(1)),
                         std::sqrt(6.0 / 400));
  expect_uniform_moments(kaiming_uniform_(empty(kWeight), tanh_gain, Fan::out, Generator(1)),
                         5.0 / 3 * std::sqrt(3.0 / 250));
  expect_normal(kaiming_normal_(empty(kWeight)), std::sqrt(2.0 / 400));
  expect_normal(kaiming_normal_(empty(kWeight), 1, Fan::out, Generator(3)), std::sqrt(1.0 / 250));
}

TEST(Init, FansOfConvolutionsCountTheKernel) {
  const Fans linear = fans_of({3, 5}), conv = fans_of({8, 4, 3, 2});
  EXPECT_EQ(linear.in, 5);
  EXPECT_EQ(linear.out, 3);
  EXPECT_EQ(conv.in, 24);
  EXPECT_EQ(conv.out, 48);
  EXPECT_THAT(message_of<ValueError>([] { fans_of({3}); }), HasSubstr("[3]"));
}

TEST(Init, GainsAreTheRecommendedOnes) {
  EXPECT_EQ(gain_of(Nonlinearity::linear), 1);
  EXPECT_EQ(gain_of(Nonlinearity::sigmoid), 1);
  EXPECT_DOUBLE_EQ(gain_of(Nonlinearity::tanh), 5.0 / 3);
  EXPECT_DOUBLE_EQ(gain_of(Nonlinearity::relu), std::sqrt(2.0));
  EXPECT_DOUBLE_EQ(gain_of(Nonlinearity::leaky_relu, 0.2), std::sqrt(2 / 1.04));
  EXPECT_DOUBLE_EQ(gain_of(Nonlinearity::selu), 0.75);
}

/// Density and distribution of the standard normal.
double density(double x) {
  return std::exp(-x * x / 2) / std::sqrt(2 * M_PI);
}
double distribution(double x) {
  return std::erfc(-x / std::sqrt(2.0)) / 2;
}

TEST(Init, TruncatedNormalHasItsMoments) {
  for (const auto& [low, high] : {std::pair(-2.0, 2.0), std::pair(-0.5, 3.0), std::pair(1.0, 4.0),
                                  std::pair(-9.0, -8.0), std::pair(8.0, HUGE_VAL)}) {
    const double mass =
        low > 0 ? distribution(-low) - distribution(-high) : distribution(high) - distribution(low);
    const auto edge = [](double x) { return std::isinf(x) ? 0 : x * density(x); };
    const double mean = (density(low) - density(high)) / mass;
    const double deviation = std::sqrt(1 + (edge(low) - edge(high)) / mass - mean * mean);
    const Tensor values =
        truncated_normal_(empty(kWeight), 3, 0.5, 3 + 0.5 * low, 3 + 0.5 * high, Generator(5));
    const Moments m(values);
    SCOPED_TRACE("[" + std::to_string(low) + ", " + std::to_string(high) + "]");
    EXPECT_GE(m.least, 3 + 0.5 * low);
    EXPECT_LE(m.largest, 3 + 0.5 * high);
    EXPECT_NEAR((m.mean - 3 - 0.5 * mean) / (0.5 * deviation), 0, kClose);
    // Tails are heavier than a normal's: deviations are known half as well.
    EXPECT_NEAR(m.deviation / (0.5 * deviation), 1, 2 * kClose);
  }
}

TEST(Init, TruncatedNormalFollowsTheUniformNumbers) {
  const Tensor u = uniform({1000}, 0, 1, Dtype::f32, Generator(6));
  const Tensor x = truncated_normal_(empty({1000}, Dtype::f64), 0, 1, -5, 5, Generator(6));
  const std::vector<float> numbers = u.to_vector<float>();
  const std::vector<double> values = x.to_vector<double>();
  for (size_t i = 0; i < values.size(); ++i) {
    const double p = (distribution(values[i]) - distribution(-5)) / (distribution(5) - distribution(-5));
    EXPECT_NEAR(p, static_cast<double>(numbers[i]) + 0x1p-25, 1e-12);  // of the quantile's last bits
  }
}

TEST(Init, TruncatedNormalIsTheSameForAnyNumberOfThreads) {
  const auto bits = [](int threads) {
    const ThreadCountGuard guard(threads);
    return truncated_normal_(empty({999}), 0, 1, -2, 2, Generator(7)).to_vector<float>();
  };
  EXPECT_EQ(bits(1), bits(3));
}

void expect_orthonormal_rows(const Tensor& rows, double scale) {
  const std::vector<float> products = matmul(rows, transpose(rows, 0, 1)).to_vector<float>();
  const int64_t n = rows.size(0);
  for (int64_t i = 0; i < n * n; ++i) {
    // Sums of up to 60 products of f32.
    EXPECT_NEAR(products[static_cast<size_t>(i)], i % (n + 1) == 0 ? scale * scale : 0, 1e-5);
  }
}

TEST(Init, OrthogonalMatricesAre) {
  expect_orthonormal_rows(orthogonal_(empty({20, 60}), 1, Generator(1)), 1);
  expect_orthonormal_rows(transpose(orthogonal_(empty({60, 20}), 2, Generator(2)), 0, 1), 2);
  expect_orthonormal_rows(reshape(orthogonal_(empty({8, 4, 3, 2}), 1, Generator(3)), {8, 24}), 1);
}

TEST(Init, OrthogonalMatricesAreUniformlyDistributed) {
  // Without the correction of signs, LAPACK's reflections would turn the first element mostly negative.
  double sum = 0;
  const Generator generator(4);
  for (int i = 0; i < 400; ++i) sum += orthogonal_(empty({2, 2}), 1, generator).to_vector<float>()[0];
  EXPECT_NEAR(sum / 400, 0, 4 * std::sqrt(0.5 / 400));  // four standard errors of cos of a random angle
}

TEST(Init, FillsParametersOfAnyFloatingType) {
  Linear layer(3, 2);
  constant_(layer.weight, 1.5);
  EXPECT_THAT(layer.weight.to_vector<float>(), Each(1.5F));
  ones_(layer.bias);
  EXPECT_THAT(layer.bias.to_vector<float>(), Each(1));
  zeros_(layer.bias);
  EXPECT_THAT(layer.bias.to_vector<float>(), Each(0));
  orthogonal_(layer.weight);
  xavier_normal_(layer.weight);
  truncated_normal_(layer.weight);
  EXPECT_TRUE(layer.weight.requires_grad());
  for (const Dtype dtype : {Dtype::bf16, Dtype::f64}) {
    EXPECT_EQ(orthogonal_(empty({2, 3}, dtype)).dtype(), dtype);
    EXPECT_EQ(truncated_normal_(empty({2, 3}, dtype)).dtype(), dtype);
    EXPECT_EQ(kaiming_uniform_(empty({2, 0}, dtype)).numel(), 0);
  }
}

TEST(Init, RefusesImpossibleShapesAndNumbers) {
  const Tensor vector = empty({3}), matrix = empty({3, 2}), integers = empty({3, 2}, Dtype::i32);
  EXPECT_THAT(message_of<ValueError>([&] { xavier_uniform_(vector); }), HasSubstr("f32[3] has no fans"));
  EXPECT_THAT(message_of<ValueError>([&] { kaiming_normal_(vector); }), HasSubstr("kaiming_normal_"));
  EXPECT_THAT(message_of<ValueError>([&] { orthogonal_(vector); }), HasSubstr("orthogonal_"));
  EXPECT_THAT(message_of<ValueError>([&] { xavier_normal_(matrix, -1); }), HasSubstr("gain -1"));
  EXPECT_THAT(message_of<ValueError>([&] { orthogonal_(matrix, NAN); }), HasSubstr("gain"));
  EXPECT_THAT(message_of<ValueError>([&] { truncated_normal_(matrix, 0, 1, 2, -2); }),
              HasSubstr("low < high"));
  EXPECT_THAT(message_of<ValueError>([&] { truncated_normal_(matrix, 0, 0); }), HasSubstr("above 0"));
  EXPECT_THAT(message_of<ValueError>([&] { truncated_normal_(matrix, 0, 1, 60, 70); }), HasSubstr("too far"));
  EXPECT_THROW(xavier_uniform_(integers), TypeError);
  EXPECT_THROW(constant_(Tensor(), 1), ValueError);
}

}  // namespace
}  // namespace espalier::nn
