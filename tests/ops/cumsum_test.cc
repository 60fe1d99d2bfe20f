#include "ops/cumsum.h"

#include <array>

#include <gtest/gtest.h>

#include "autograd/autograd.h"
#include "autograd/gradient_check.h"
#include "core/parallel.h"
#include "ops/cast.h"
#include "tests/support/op_test.h"

namespace espalier::test {
namespace {

using Run = Tensor (*)(const Tensor&, int64_t);

OpSample cumsum_sample(Run run, bool product, std::string label, const Shape& shape, int axis) {
  const double size = static_cast<double>(std::max<int64_t>(count(shape), 2));
  InputSpec input{shape};
  // Products stay near 1 for numbers near 1.
  if (product) input.low = 1 - 1 / size, input.high = 1 + 1 / size;
  input.differentiable = count(shape) <= 100;  // differences take a run for each element
  return {std::move(label),
          {input},
          [=](Inputs in) { return Tensors{run(in[0], axis)}; },
          [=](const Arrays& in) {
            Array result = in[0];
            for_each_index(shape, [&](const Dims& index) {
              if (index.rank() == 0 || index[axis] > 0) return;
              long double total = product ? 1 : 0;
              for (Dims at = index; at[axis] < shape[axis]; ++at[axis]) {
                total = product ? total * in[0].at(at) : total + in[0].at(at);
                result.at(at) = static_cast<double>(total);
              }
            });
            return Arrays{result};
          }};
}

OpTest scan_test(const std::string& name, Run run, bool product) {
  const auto with = [=](std::string label, const Shape& shape, int axis) {
    return cumsum_sample(run, product, std::move(label), shape, axis);
  };
  return {
      .name = name,
      .samples = {with("rows", {4, 7}, 1), with("five rows", {5, 3}, 1), with("columns", {7, 4}, 0),
                  with("the middle", {3, 4, 5}, 1), with("a row", {37}, 0), with("wide columns", {3, 300}, 0),
                  with("a scalar", {}, 0), with("rows without elements", {3, 0}, 1),
                  with("no columns", {3, 0}, 0)},
      .errors =
          {
              {"an axis that is not there", [=] { run(zeros({2, 3}), 2); }, "ShapeError", {name, "axis 2"}},
              {"no tensor", [=] { run(Tensor(), 0); }, "ValueError", {name, "undefined"}},
          },
      .dtypes = kAllTypes,
      .benchmarks = {with("rows", {1024, 1024}, 1), with("columns", {1024, 1024}, 0),
                     with("short rows", {65536, 16}, 1), with("a row", {1 << 20}, 0),
                     with("small", {128, 10}, 1)},
  };
}

}  // namespace

OpTest cumsum_test() {
  return scan_test("cumsum", cumsum, false);
}

OpTest cumprod_test() {
  OpTest test = scan_test("cumprod", cumprod, true);
  test.covers = {"cumprod_backward"};
  test.errors.push_back({"a gradient of another shape",
                         [] { apply(CumulativeProductBackward(0), {zeros({2}), zeros({3})}); },
                         "ShapeError",
                         {"cumprod_backward", "f32[2]", "f32[3]"}});
  test.errors.push_back({"a gradient of another type",
                         [] { apply(CumulativeProductBackward(0), {zeros({3}, Dtype::f64), zeros({3})}); },
                         "TypeError",
                         {"cumprod_backward", "f64[3]", "f32[3]"}});
  return test;
}

namespace {

/// Sums of the elements up to each one of every row, in f64.
std::vector<double> sums_of_rows(const std::vector<float>& x, size_t width, bool reverse) {
  std::vector<double> sums(x.size());
  double total = 0;
  for (size_t i = 0; i < x.size(); ++i) {
    const size_t at = reverse ? x.size() - 1 - i : i;
    total = (i % width == 0 ? 0 : total) + static_cast<double>(x[at]);
    sums[at] = total;
  }
  return sums;
}

TEST(Cumsum, AddsLongRowsInSegments) {
  for (const Dtype dtype : {Dtype::f32, Dtype::f16}) {
    OpSample sample;
    sample.inputs = {{{3, 9000}, 0, 1}};
    const Tensor x = make_inputs(sample, dtype)[0], leaf = requires_grad_(x.detach());
    const Tensor y = cumsum(leaf);
    backward(y, x);  // sums from the other end
    const std::vector<float> values = cast(x, Dtype::f32).to_vector<float>();
    const auto forward = sums_of_rows(values, 9000, false), reverse = sums_of_rows(values, 9000, true);
    const auto found = cast(y.detach(), Dtype::f32).to_vector<float>(),
               gradient = cast(leaf.grad(), Dtype::f32).to_vector<float>();
    // Rounded once to the type.
    const double epsilon = dtype == Dtype::f32 ? 0x1p-24 : 0x1p-11;
    for (size_t i = 0; i < found.size(); ++i) {
      ASSERT_NEAR(found[i], forward[i], epsilon * 1.01 * forward[i]) << i;
      ASSERT_NEAR(gradient[i], reverse[i], epsilon * 1.01 * reverse[i]) << i;
    }
  }
}

TEST(Cumprod, MultipliesLongRowsInSegments) {
  std::vector<float> x(10'000);
  for (size_t i = 0; i < x.size(); ++i) x[i] = i % 2 == 0 ? 2.0F : -0.5F;
  const auto found = cumprod(from_values(x, {2, 5000})).to_vector<float>();
  const std::array expected = {2.0F, -1.0F, -2.0F, 1.0F};
  for (size_t i = 0; i < found.size(); ++i) ASSERT_EQ(found[i], expected[i % 4]) << i;
}

TEST(Cumsum, GivesTheSameBitsForAnyNumberOfThreads) {
  const Tensor x = make_inputs(cumsum_test().benchmarks[3], Dtype::f32)[0];
  std::vector<float> one, several;
  {
    const ThreadCountGuard guard(1);
    one = cumsum(x).to_vector<float>();
  }
  {
    const ThreadCountGuard guard(3);
    several = cumsum(x).to_vector<float>();
  }
  EXPECT_EQ(one, several);
}

TEST(Cumsum, WidensAndWrapsIntegers) {
  EXPECT_EQ(cumsum(full({3}, 100, Dtype::i8)).to_vector<int64_t>(), (std::vector<int64_t>{100, 200, 300}));
  const int64_t most = INT64_MAX;
  EXPECT_EQ(cumsum(full({2}, most, Dtype::i64)).to_vector<int64_t>(), (std::vector<int64_t>{most, -2}));
}

TEST(Cumprod, IsWhatItDecomposesInto) {
  for (int64_t size = 0; size < 10; ++size) {
    OpSample sample;
    sample.inputs = {{{2, size, 3}}};
    const Tensor x = make_inputs(sample, Dtype::f64)[0];
    const Tensor parts = CumulativeProduct(1).decompose(Inputs(&x, 1))[0];
    const auto found = parts.to_vector<double>(), expected = cumprod(x, 1).to_vector<double>();
    ASSERT_EQ(found.size(), expected.size());
    for (size_t i = 0; i < found.size(); ++i) EXPECT_NEAR(found[i], expected[i], 1e-10) << size;
  }
}

TEST(Cumprod, HasTheRightDerivativesBesideZeros) {
  const auto f = [](const std::vector<Tensor>& in) { return std::vector<Tensor>{cumprod(in[0], 1)}; };
  const Tensor x = requires_grad_(from_values<double>({2, 0, 4, 5, 0, 3, 0, 2}, {2, 4}));
  EXPECT_EQ(check_gradients(f, {x}, {.second_order = true}), "");
}

}  // namespace
}  // namespace espalier::test
