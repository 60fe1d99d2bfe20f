#include "ops/vector_norm.h"

#include <algorithm>
#include <cmath>

#include <gtest/gtest.h>

#include "autograd/autograd.h"
#include "tests/ops/elementwise_samples.h"
#include "tests/ops/reduction_samples.h"
#include "tests/support/op_test.h"

namespace espalier::test {
namespace {

double norm_of(const std::vector<double>& x, double order) {
  std::vector<double> powers, magnitudes;
  for (const double value : x) {
    magnitudes.push_back(std::abs(value));
    powers.push_back(order == 0 ? (value != 0 ? 1.0 : 0.0) : std::pow(std::abs(value), order));
  }
  if (order == HUGE_VAL) return *std::max_element(magnitudes.begin(), magnitudes.end());
  if (order == -HUGE_VAL) return *std::min_element(magnitudes.begin(), magnitudes.end());
  return order == 0 ? total(powers) : std::pow(total(powers), 1 / order);
}

}  // namespace

OpTest vector_norm_test() {
  const auto of_order = [](double order) {
    return
        [=](const Tensor& x, const Dims& axes, bool keepdim) { return vector_norm(x, order, axes, keepdim); };
  };
  std::vector<OpSample> samples =
      reduction_samples(of_order(2), [](const std::vector<double>& x) { return norm_of(x, 2); }, true);
  for (const double order : {0.0, 0.5, 1.0, 3.0, -1.0, HUGE_VAL, -HUGE_VAL}) {
    for (const Dims& axes : {Dims{}, Dims{0}, Dims{-1}}) {
      samples.push_back({"order " + std::to_string(order) + ", axes " + to_string(axes),
                         {{.shape = {5, 21}, .low = 0.25, .differentiable = order != 0}},
                         [=](Inputs in) { return Tensors{of_order(order)(in[0], axes, false)}; },
                         [=](const Arrays& in) {
                           return Arrays{reduced(in[0], axes, false, [=](const std::vector<double>& x) {
                             return norm_of(x, order);
                           })};
                         }});
    }
  }
  samples.push_back({"normalised rows",
                     {{{4, 7}}},
                     [](Inputs in) { return Tensors{normalise(in[0])}; },
                     [](const Arrays& in) {
                       const Array norms =
                           reduced(in[0], {1}, true, [](const auto& x) { return norm_of(x, 2); });
                       Array result = in[0];
                       for (int64_t i = 0; i < 28; ++i) result[i] /= norms[i / 7];
                       return Arrays{result};
                     }});
  const auto benchmark = [](std::string label, const Shape& shape, const std::function<Tensor(Inputs)>& run) {
    return OpSample{std::move(label), {{shape}}, [=](Inputs in) { return Tensors{run(in)}; }, {}};
  };
  std::vector<OpSample> benchmarks = reduction_benchmarks(of_order(2));
  for (const double order : {1.0, 3.0, HUGE_VAL}) {
    benchmarks.push_back(benchmark("rows, order " + std::to_string(order), {768, 512},
                                   [=](Inputs in) { return of_order(order)(in[0], {1}, false); }));
  }
  benchmarks.push_back(benchmark("normalise rows", {768, 512}, [](Inputs in) { return normalise(in[0]); }));
  return {
      .name = "vector_norm",
      .samples = samples,
      .errors =
          {
              {"an axis that is not there",
               [] { vector_norm(zeros({2, 3}), 2, {2}); },
               "ShapeError",
               {"vector_norm", "axis 2"}},
              {"the largest of nothing",
               [] { vector_norm(zeros({2, 0}), INFINITY, {1}); },
               "ShapeError",
               {"vector_norm", "f32[2, 0]", "axis 1"}},
              {"integers",
               [] { vector_norm(zeros({2}, Dtype::i64)); },
               "TypeError",
               {"vector_norm", "i64[2]"}},
              {"the order NaN",
               [] { vector_norm(zeros({2}), NAN); },
               "ValueError",
               {"vector_norm", "f32[2]"}},
              {"a negative epsilon",
               [] { normalise(zeros({2}), {0}, 2, -1); },
               "ValueError",
               {"vector_norm", "-1", "f32[2]"}},
              {"no tensor", [] { vector_norm(Tensor()); }, "ValueError", {"vector_norm", "undefined"}},
          },
      .dtypes = kAllFloatingTypes,
      // Norms of order 1/2 are sums of 105 elements, squared.
      .tolerance = 16,
      .benchmarks = benchmarks,
  };
}

namespace {

std::vector<float> vector_norm_gradient(double order, const std::vector<float>& x) {
  const Tensor leaf = requires_grad_(from_values(x, {static_cast<int64_t>(x.size())}));
  backward(vector_norm(leaf, order));
  return leaf.grad().to_vector<float>();
}

TEST(VectorNorm, DoesNotOverflow) {
  EXPECT_FLOAT_EQ(static_cast<float>(vector_norm(full({4}, 1e30F)).item()), 2e30F);
  EXPECT_FLOAT_EQ(static_cast<float>(vector_norm(full({8}, 1e-30F), 3).item()), 2e-30F);
  EXPECT_FLOAT_EQ(vector_norm_gradient(3, {1e30F, 0})[0], 1);
}

// Values of torch.linalg.vector_norm.
TEST(VectorNorm, HasPyTorchsGradientsAtZerosAndTies) {
  const std::vector<float> x = {0, -2, 2, 1};
  EXPECT_EQ(vector_norm_gradient(1, x), (std::vector<float>{0, -1, 1, 1}));
  EXPECT_EQ(vector_norm_gradient(kInfinity, x), (std::vector<float>{0, -0.5F, 0.5F, 0}));
  for (const double order : {-HUGE_VAL, -1.0})
    EXPECT_EQ(vector_norm_gradient(order, x), (std::vector<float>(4, 0)));
  for (const double order : {0.5, 1.0, 2.0, 3.0, HUGE_VAL, -HUGE_VAL, -1.0})
    EXPECT_EQ(vector_norm_gradient(order, {0, 0}), (std::vector<float>{0, 0})) << order;
  const std::vector<float> expected = {0, -0.6050F, 0.6050F, 0.1513F};
  for (size_t i = 0; i < 4; ++i) EXPECT_NEAR(vector_norm_gradient(3, x)[i], expected[i], 1e-4);
}

TEST(VectorNorm, KeepsNan) {
  for (const double order : {1.0, 2.0, 3.0, HUGE_VAL, -HUGE_VAL})
    EXPECT_TRUE(std::isnan(vector_norm(from_values<float>({NAN, 1}, {2}), order).item())) << order;
}

TEST(Normalise, LeavesShortVectorsShort) {
  const Tensor x = requires_grad_(from_values<float>({0, 0, 3, 4}, {2, 2}));
  const Tensor y = normalise(x, {1}, 2, 1e-6);
  EXPECT_EQ(y.to_vector<float>(), (std::vector<float>{0, 0, 0.6F, 0.8F}));
  backward(y, from_values<float>({1, 2, 0, 0}, {2, 2}));
  EXPECT_FLOAT_EQ(x.grad().to_vector<float>()[0], 1e6F);  // the norm does not change there
  EXPECT_FLOAT_EQ(x.grad().to_vector<float>()[1], 2e6F);
}

}  // namespace
}  // namespace espalier::test
