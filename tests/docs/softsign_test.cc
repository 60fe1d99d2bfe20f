#include "tests/docs/softsign.h"

#include <cmath>

#include <gtest/gtest.h>

#include "autograd/autograd.h"
#include "autograd/gradient_check.h"
#include "ops/operations.h"
#include "tests/support/op_test.h"

namespace espalier::test {

OpTest softsign_test() {
  const auto sample = [](std::string label, const Shape& shape) {
    return elementwise_sample(
        std::move(label), {{shape, -3, 3}}, [](Inputs in) { return softsign(in[0]); },
        [](const std::vector<double>& x) { return x[0] / (1 + std::abs(x[0])); });
  };
  return {
      .name = "softsign",
      .samples = {sample("matrix", {3, 5}), sample("longer than a tile", {2, 300}), sample("scalar", {}),
                  sample("empty", {0, 4})},
      .errors = {{"no tensor", [] { softsign(Tensor()); }, "ValueError", {"softsign", "undefined"}}},
      .dtypes = kAllTypes,
      .benchmarks = {sample("1M", {1024, 1024})},
  };
}

namespace {

TEST(AddAnOperation, TheWalkThroughsOperationWorks) {
  for (const OpSample& sample : softsign_test().samples) {
    Tensor x = make_inputs(sample, Dtype::f64)[0];
    const std::vector<double> expected = sample
                                             .reference([&] {
                                               Array array(x.shape());
                                               array.values = x.to_vector<double>();
                                               return Arrays{array};
                                             }())[0]
                                             .values;
    const std::vector<double> got = sample.run(std::vector{x})[0].to_vector<double>();
    for (size_t i = 0; i < got.size(); ++i) EXPECT_NEAR(got[i], expected[i], 1e-15) << sample.label;
    x = requires_grad_(x);
    const auto f = [](const std::vector<Tensor>& in) { return std::vector{softsign(in[0])}; };
    EXPECT_EQ(check_gradients(f, {x}), "") << sample.label;
    EXPECT_EQ(check_gradients(f, {x}, {.second_order = true}), "") << sample.label;
  }
}

TEST(AddAnOperation, ProgramsMakeTheirOwnKnown) {
  EXPECT_THROW(make_operation("softsign", {}, 1), ValueError);
  register_operation(Softsign(), 1);
  EXPECT_EQ(make_operation("softsign", {}, 1)->name(), "softsign");
  EXPECT_THROW(make_operation("softsign", {}, 2), ValueError);
  EXPECT_THROW(register_operation(Softsign(), 1), ValueError);
}

}  // namespace
}  // namespace espalier::test
