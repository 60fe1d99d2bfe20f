// A fused operation and the simple operations that it decomposes into give the same values: second
// derivatives are taken of the latter, and checking those against differences would not notice a
// decomposition of something else.

#include <algorithm>
#include <cmath>

#include <gtest/gtest.h>

#include "core/door.h"
#include "ops/cast.h"
#include "tests/ops/calls.h"
#include "tests/support/op_test.h"

namespace espalier::test {
namespace {

void expect_same(const Tensor& got, const Tensor& wanted) {
  ASSERT_EQ(describe(got), describe(wanted));
  const auto values = cast(got, Dtype::f64).to_vector<double>(),
             expected = cast(wanted, Dtype::f64).to_vector<double>();
  for (size_t n = 0; n < values.size(); ++n) {
    if (values[n] == expected[n] || (std::isnan(values[n]) && std::isnan(expected[n]))) continue;
    // In f64: the same sums in another order.
    ASSERT_NEAR(values[n], expected[n], 1e-9 * std::max(1.0, std::abs(expected[n]))) << "element " << n;
  }
}

class Decompositions : public testing::TestWithParam<OpTest> {};

TEST_P(Decompositions, GiveTheOperationsValues) {
  const OpTest& test = GetParam();
  const NoGrad no_grad;
  for (const OpSample& sample : test.samples) {
    // In f64 alone: samples of another type look at infinities, where no derivative of second order is asked
    // for.
    Calls calls([](const Operation& operation, Inputs inputs) {
      return operation.decomposable() && std::none_of(inputs.begin(), inputs.end(), [](const Tensor& input) {
               return input.defined() && is_floating(input.dtype()) && input.dtype() != Dtype::f64;
             });
    });
    {
      const ListenerScope scope(ListenerSlot::recorder, &calls);
      sample.run(make_inputs(sample, test.dtypes.front()));
    }
    for (const Call& call : calls.calls) {
      SCOPED_TRACE(sample.label + ": " + std::string(call.operation->name()) + "(" + describe(call.inputs) +
                   ")");
      // What saved_for_backward() does not name is not there when a decomposition is asked for.
      std::vector<Tensor> given = call.inputs;
      for (size_t i = 0; i < given.size(); ++i) {
        if (!(call.operation->saved_for_backward().inputs >> i & 1u)) given[i] = Tensor();
      }
      const Tensors expected = apply(*call.operation, Calls::copies(call.inputs)),
                    got = call.operation->decompose(given);
      for (size_t i = 0; i < got.size(); ++i) {
        if (call.operation->differentiable(static_cast<int>(i))) expect_same(got[i], expected[i]);
        if (HasFatalFailure()) return;
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Each, Decompositions, testing::ValuesIn(op_tests()),
                         [](const testing::TestParamInfo<OpTest>& tested) { return tested.param.name; });

}  // namespace
}  // namespace espalier::test
