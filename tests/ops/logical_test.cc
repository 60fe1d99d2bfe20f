#include "ops/logical.h"

#include <gtest/gtest.h>

#include "tests/ops/elementwise_samples.h"
#include "tests/support/op_test.h"

namespace espalier::test {
namespace {

using Logic = Tensor (*)(const Tensor&, const Tensor&);

/// Bools, both of which come up.
InputSpec bools(const Shape& shape = {}) {
  return {shape, 0, 2, Dtype::boolean};
}

OpTest logic(const std::string& name, Logic run, bool (*f)(bool, bool)) {
  const auto both = [f](const std::vector<double>& x) { return f(x[0] != 0, x[1] != 0) ? 1.0 : 0.0; };
  const auto combine = [run](Inputs in) { return run(in[0], in[1]); };
  std::vector<OpSample> samples = binary_samples(combine, both, {{}, 0, 2}, {{}, 0, 2});
  for (OpSample& sample : binary_samples(combine, both, bools(), bools())) {
    sample.label += " of bool";
    samples.push_back(std::move(sample));
  }
  std::vector<OpError> errors = binary_errors(name, run);
  // Each operand becomes bool on its own, so there are no types that do not meet.
  std::erase_if(errors, [](const OpError& error) { return error.kind == "TypeError"; });
  return {
      .name = name,
      .samples = std::move(samples),
      .errors = std::move(errors),
      .dtypes = kEveryType,
      .differentiable = false,
      .twice_differentiable = false,
      .benchmarks = {elementwise_sample("64K", {bools({256, 256}), bools({256, 256})}, combine, both),
                     elementwise_sample("1M", {bools({1024, 1024}), bools({1024, 1024})}, combine, both)},
  };
}

}  // namespace

OpTest logical_and_test() {
  return logic("logical_and", logical_and, [](bool a, bool b) { return a && b; });
}
OpTest logical_or_test() {
  return logic("logical_or", logical_or, [](bool a, bool b) { return a || b; });
}
OpTest logical_xor_test() {
  return logic("logical_xor", logical_xor, [](bool a, bool b) { return a != b; });
}

OpTest logical_not_test() {
  std::vector<OpSample> samples = unary_samples(logical_not, [](double x) { return x == 0; }, 0, 2);
  const auto negate = [](Inputs in) { return logical_not(in[0]); };
  const auto f = [](const std::vector<double>& x) { return x[0] == 0 ? 1.0 : 0.0; };
  samples.push_back(elementwise_sample("bools", {bools({3, 70})}, negate, f));
  return {
      .name = "logical_not",
      .samples = std::move(samples),
      .errors = {{"no tensor", [] { logical_not(Tensor()); }, "ValueError", {"logical_not", "undefined"}}},
      .dtypes = kEveryType,
      .differentiable = false,
      .twice_differentiable = false,
      .benchmarks = {elementwise_sample("1M", {bools({1024, 1024})}, negate, f)},
  };
}

namespace {

TEST(Logical, TakesEverythingButZeroForTrue) {
  const Tensor x = from_values<double>({0.0, -0.0, 1e-300, -2, kNan, kInfinity}, {6});
  const std::vector<bool> truth = {false, false, true, true, true, true};
  EXPECT_EQ(logical_and(x, ones({}, Dtype::i8)).to_vector<bool>(), truth);
  EXPECT_EQ(logical_or(x, zeros({}, Dtype::u16)).to_vector<bool>(), truth);
  EXPECT_EQ(logical_xor(x, zeros({}, Dtype::boolean)).to_vector<bool>(), truth);
  EXPECT_EQ(logical_not(logical_not(x)).to_vector<bool>(), truth);
}

TEST(Logical, OperationsThemselvesTakeBoolAlone) {
  EXPECT_THROW(apply_one(LogicalNot(), zeros({2})), TypeError);
}

}  // namespace
}  // namespace espalier::test
