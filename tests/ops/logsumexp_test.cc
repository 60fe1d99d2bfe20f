#include "ops/logsumexp.h"

#include <cmath>

#include <gtest/gtest.h>

#include "autograd/autograd.h"
#include "tests/ops/elementwise_samples.h"
#include "tests/ops/reduction_samples.h"
#include "tests/support/op_test.h"

namespace espalier::test {

OpTest logsumexp_test() {
  const auto run = [](const Tensor& x, const Dims& axes, bool keepdim) {
    return logsumexp(x, axes, keepdim);
  };
  const auto fold = [](const std::vector<double>& x) {
    std::vector<double> powers;
    for (const double value : x) powers.push_back(std::exp(value));
    return std::log(total(powers));
  };
  std::vector<OpSample> samples = reduction_samples(run, fold, true);
  samples.push_back({"large numbers",
                     {{{3, 20}, 200, 204}},
                     [=](Inputs in) { return Tensors{run(in[0], {1}, false)}; },
                     [=](const Arrays& in) { return Arrays{reduced(in[0], {1}, false, fold)}; }});
  return {
      .name = "logsumexp",
      .samples = samples,
      .errors =
          {
              {"an axis that is not there",
               [] { logsumexp(zeros({2, 3}), {2}); },
               "ShapeError",
               {"logsumexp", "axis 2"}},
              {"no tensor", [] { logsumexp(Tensor()); }, "ValueError", {"logsumexp", "undefined"}},
          },
      .dtypes = kAllTypes,
      .benchmarks = reduction_benchmarks(run),
  };
}

namespace {

TEST(LogSumExp, DoesNotOverflow) {
  EXPECT_FLOAT_EQ(static_cast<float>(logsumexp(full({4}, 1e30F)).item()), 1e30F);
  EXPECT_FLOAT_EQ(static_cast<float>(logsumexp(full({4}, -1000.0F)).item()), -1000 + std::log(4.0F));
}

TEST(LogSumExp, TakesInfinitiesAndNanAsPyTorchDoes) {
  const auto of = [](float a, float b) { return logsumexp(from_values<float>({a, b}, {2})).item(); };
  EXPECT_EQ(of(-INFINITY, -INFINITY), -kInfinity);
  EXPECT_EQ(of(INFINITY, -INFINITY), kInfinity);
  EXPECT_EQ(of(-INFINITY, 1), 1);
  EXPECT_TRUE(std::isnan(of(NAN, INFINITY)));
  const Tensor x = requires_grad_(from_values<float>({-INFINITY, 1}, {2}));
  backward(logsumexp(x));
  EXPECT_EQ(x.grad().to_vector<float>(), (std::vector<float>{0, 1}));
}

}  // namespace
}  // namespace espalier::test
