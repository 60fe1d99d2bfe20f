#include "ops/product.h"

#include <array>
#include <cmath>
#include <functional>
#include <numeric>

#include <gtest/gtest.h>

#include "autograd/autograd.h"
#include "autograd/gradient_check.h"
#include "ops/slice.h"
#include "tests/ops/reduction_samples.h"
#include "tests/support/op_test.h"

namespace espalier::test {

OpTest product_test() {
  const auto run = [](const Tensor& x, const Dims& axes, bool keepdim) { return product(x, axes, keepdim); };
  const auto fold = [](const std::vector<double>& x) {
    return static_cast<double>(std::accumulate(x.begin(), x.end(), 1.0L, std::multiplies<>()));
  };
  // Numbers near 1, whose products stay near 1; integers are 1 and 0. Of more elements than these, each of
  // which rounds once, only products without rounding are tested, below.
  std::vector<OpSample> samples = reduction_samples(run, fold, true);
  std::erase_if(samples, [](const OpSample& sample) { return count(sample.inputs[0].shape) > 15000; });
  for (OpSample& sample : samples) {
    const double spread = 1 / std::sqrt(static_cast<double>(count(sample.inputs[0].shape) + 2));
    sample.inputs[0].low = 1 - spread;
    sample.inputs[0].high = 1 + spread;
  }
  samples.push_back({"small numbers of both signs",
                     {{{4, 6}, -3, 3}},
                     [=](Inputs in) { return Tensors{run(in[0], {1}, false)}; },
                     [=](const Arrays& in) { return Arrays{reduced(in[0], {1}, false, fold)}; }});
  return {
      .name = "product",
      .covers = {"product_backward"},
      .samples = samples,
      .errors =
          {
              {"an axis that is not there",
               [] { product(zeros({2, 3}), {2}); },
               "ShapeError",
               {"product", "axis 2"}},
              {"no tensor", [] { product(Tensor()); }, "ValueError", {"product", "undefined"}},
              {"a gradient of another shape",
               [] { apply(ProductBackward(), {zeros({2}), zeros({2, 3})}); },
               "ShapeError",
               {"product_backward", "f32[2]", "f32[2, 3]"}},
              {"a gradient of another type",
               [] { apply(ProductBackward(), {zeros({1, 3}, Dtype::f64), zeros({2, 3})}); },
               "TypeError",
               {"product_backward", "f64[1, 3]", "f32[2, 3]"}},
          },
      .dtypes = kAllTypes,
      // A product of 5000 numbers rounds as often, by 0.29 epsilon on average and either way: by 20 in all. 3
      // times that.
      .tolerance = 60,
      .benchmarks = reduction_benchmarks(run),
  };
}

namespace {

TEST(Product, IsExactForPowersOfTwo) {
  // 7 neighbours make -1; 7 because a lane that met none but twos would overflow.
  std::vector<float> x(size_t{71} * 1015);
  for (size_t i = 0; i < x.size(); ++i) x[i] = std::array{2.0F, -1.0F, 0.5F, 1.0F, 1.0F, 1.0F, 1.0F}[i % 7];
  const Tensor all = from_values(x, {71, 1015});
  EXPECT_EQ(product(all).item(), -1);  // 71 * 145 times
  EXPECT_EQ(product(slice(all, 0, {.stop = 70})).item(), 1);
  EXPECT_EQ(product(all, {1}).to_vector<float>(), std::vector<float>(71, -1));
  const std::vector<float> columns = product(slice(all, 0, {.stop = 3}), {0}).to_vector<float>();
  for (size_t i = 0; i < columns.size(); ++i) EXPECT_EQ(columns[i], x[i] * x[i] * x[i]);
}

TEST(Product, HasTheRightGradientBesideZeros) {
  const Tensor x = requires_grad_(from_values<float>({2, 3, 4, 0, 3, 4, 0, 3, 0}, {3, 3}));
  backward(product(x, {1}), from_values<float>({1, 2, 1}, {3}));
  EXPECT_EQ(x.grad().to_vector<float>(), (std::vector<float>{12, 8, 6, 24, 0, 0, 0, 0, 0}));
}

TEST(Product, HasTheRightSecondDerivativesBesideZeros) {
  const auto f = [](const std::vector<Tensor>& in) { return std::vector<Tensor>{product(in[0], {1})}; };
  const Tensor x = requires_grad_(from_values<double>({2, 3, 4, 0, 3, 4, 0, 3, 0}, {3, 3}));
  EXPECT_EQ(check_gradients(f, {x}, {.second_order = true}), "");
}

TEST(Product, IsWhatItDecomposesInto) {
  for (const OpSample& sample : product_test().samples) {
    const Tensor x = make_inputs(sample, Dtype::f64)[0];
    for (const Dims& axes : {Dims{}, Dims{0}, Dims{-1}}) {
      if (x.rank() == 0 && !axes.empty()) continue;
      const Tensor whole = product(x, axes), parts = Product(axes, false).decompose(Inputs(&x, 1))[0];
      ASSERT_EQ(to_string(whole.shape()), to_string(parts.shape())) << sample.label;
      const auto found = parts.to_vector<double>(), expected = whole.to_vector<double>();
      for (size_t i = 0; i < found.size(); ++i)
        ASSERT_NEAR(found[i], expected[i], 1e-12 * std::abs(expected[i])) << sample.label;
    }
  }
}

TEST(Product, WrapsIntegers) {
  EXPECT_EQ(product(full({5}, 1 << 15, Dtype::i32)).item(), 0);  // 2^75
  EXPECT_EQ(product(full({3}, 1 << 15, Dtype::i32)).to_vector<int64_t>()[0], int64_t{1} << 45);
}

}  // namespace
}  // namespace espalier::test
