// What the operations say about axes that shrink together is tried out: a channel is removed from all tied
// axes.

#include <cmath>
#include <set>

#include <gtest/gtest.h>

#include "core/door.h"
#include "ops/cast.h"
#include "ops/concat.h"
#include "ops/slice.h"
#include "tests/ops/calls.h"
#include "tests/support/op_test.h"

namespace espalier::test {
namespace {

/// `tensor` without index `removed` of an axis.
Tensor without(const Tensor& tensor, int axis, int64_t removed) {
  return concat({slice(tensor, axis, {.stop = removed}), slice(tensor, axis, {.start = removed + 1})}, axis);
}

/// The size of the tied axes.
void find_size(const Call& call, const AxisTie& tie, int64_t& size) {
  size = -1;
  for (const auto& [operand, axis] : tie.axes) {
    if (operand < 0) continue;
    const Tensor& input = call.inputs[static_cast<size_t>(operand)];
    ASSERT_LT(axis, input.rank());
    if (size < 0) size = input.shape()[axis];
    ASSERT_EQ(input.shape()[axis], size) << "tied axes differ in size";
  }
  ASSERT_GE(size, 0) << "no input's axis is tied";
}

void check_without(const Call& call, const AxisTie& tie, int64_t removed) {
  std::vector<Tensor> smaller = Calls::copies(call.inputs);
  bool of_output = false;
  for (const auto& [operand, axis] : tie.axes) {
    of_output |= operand < 0;
    if (operand < 0) continue;
    Tensor& input = smaller[static_cast<size_t>(operand)];
    input = without(input, axis, removed);
  }
  const std::vector<Tensor> whole = Calls::copies(call.inputs);
  const Tensors expected = apply(*call.operation, whole), got = apply(*call.operation, smaller);
  ASSERT_EQ(got.size(), expected.size());
  const bool same_values = of_output && !tie.mixed;
  for (size_t i = 0; i < expected.size(); ++i) {
    Tensor want = expected[i];
    for (const auto& [operand, axis] : tie.axes) {
      if (operand == -1 - static_cast<int>(i)) want = without(want, axis, removed);
    }
    ASSERT_EQ(to_string(got[i].shape()), to_string(want.shape())) << "output " << i;
    if (!same_values) continue;
    const auto values = cast(got[i], Dtype::f64).to_vector<double>(),
               wanted = cast(want, Dtype::f64).to_vector<double>();
    for (size_t n = 0; n < values.size(); ++n) {
      if (values[n] == wanted[n] || (std::isnan(values[n]) && std::isnan(wanted[n]))) continue;
      // Another split of the same sums rounds otherwise; a wrong channel differs in the first digits.
      ASSERT_NEAR(values[n], wanted[n], 1e-9 * std::max(1.0, std::abs(wanted[n])))
          << "output " << i << ", element " << n;
    }
  }
}

// What comes first or last may count for all: it goes, too.
void check_tie(const Call& call, const AxisTie& tie) {
  int64_t size = 0;
  find_size(call, tie, size);
  if (size < 2) return;
  for (const int64_t removed : std::set<int64_t>{0, size / 2, size - 1}) {
    SCOPED_TRACE("without " + std::to_string(removed));
    check_without(call, tie, removed);
    if (testing::Test::HasFatalFailure()) return;
  }
}

std::string to_string(const AxisTie& tie) {
  std::string text = tie.mixed ? " mixed" : "";
  for (const auto& [operand, axis] : tie.axes) {
    text += (operand < 0 ? " output " + std::to_string(-1 - operand) : " input " + std::to_string(operand)) +
            " axis " + std::to_string(axis);
  }
  return text;
}

class AxisTies : public testing::TestWithParam<OpTest> {};

TEST_P(AxisTies, AChannelCanBeRemovedFromAllTiedAxes) {
  const OpTest& test = GetParam();
  const NoGrad no_grad;
  for (const OpSample& sample : test.samples) {
    Calls calls(
        [](const Operation& operation, Inputs inputs) { return !operation.axis_ties(inputs).empty(); });
    {
      const ListenerScope scope(ListenerSlot::recorder, &calls);
      sample.run(make_inputs(sample, test.dtypes.front()));
    }
    for (const Call& call : calls.calls) {
      for (const AxisTie& tie : call.operation->axis_ties(call.inputs)) {
        SCOPED_TRACE(sample.label + ": " + std::string(call.operation->name()) + "(" + describe(call.inputs) +
                     ")," + to_string(tie));
        check_tie(call, tie);
        if (HasFatalFailure()) return;
      }
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Each, AxisTies, testing::ValuesIn(op_tests()),
                         [](const testing::TestParamInfo<OpTest>& tested) { return tested.param.name; });

}  // namespace
}  // namespace espalier::test
