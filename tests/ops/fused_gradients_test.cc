// What the numeric gradient checks, which run in f64, leave open about operations with a backward of their
// own: f32 and the narrow types, and the same bits for any number of threads.

#include <cmath>
#include <functional>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "autograd/autograd.h"
#include "core/parallel.h"
#include "ops/attention.h"
#include "ops/cast.h"
#include "ops/layer_norm.h"
#include "ops/linear.h"
#include "tests/support/op_test.h"

namespace espalier::test {
namespace {

struct Case {
  std::string name;
  OpSample sample;
};

std::vector<Case> cases() {
  const auto attend = [](bool causal) {
    return [causal](Inputs in) { return Tensors{attention(in[0], in[1], in[2], causal)}; };
  };
  // More heads than threads, so that each is one pass, and one head, so that blocks are dealt out; several
  // blocks of queries and keys, the last ones partial.
  return {
      {"linear",
       {"linear",
        {{{33, 20}}, {{45, 20}}, {{45}}},
        [](Inputs in) { return Tensors{linear(in[0], in[1], in[2])}; },
        {}}},
      {"layer_norm",
       {"layer_norm",
        {{{301, 45}}, {{45}}, {{45}}},
        [](Inputs in) { return Tensors{layer_norm(in[0], {45}, in[1], in[2])}; },
        {}}},
      {"attention_heads", {"heads", {{{9, 70, 20}}, {{9, 70, 20}}, {{9, 70, 33}}}, attend(true), {}}},
      {"attention_one_head", {"one", {{{1, 70, 20}}, {{1, 150, 20}}, {{1, 150, 33}}}, attend(false), {}}},
  };
}

/// The output and the gradients of its product with itself.
std::vector<std::vector<double>> results(const OpSample& sample, const std::vector<Tensor>& inputs) {
  std::vector<Tensor> leaves;
  for (const Tensor& input : inputs) leaves.push_back(requires_grad_(input.detach()));
  const Tensor output = sample.run(leaves)[0];
  std::vector<Tensor> found = grad(std::span(&output, 1), leaves, {.gradients = {output.detach()}});
  found.push_back(output);
  std::vector<std::vector<double>> values;
  for (const Tensor& tensor : found) values.push_back(cast(tensor.detach(), Dtype::f64).to_vector<double>());
  return values;
}

class FusedGradients : public testing::TestWithParam<Case> {};

TEST_P(FusedGradients, AgreeWithDoublePrecision) {
  const OpSample& sample = GetParam().sample;
  for (const Dtype dtype : {Dtype::f32, Dtype::f16, Dtype::bf16}) {
    // The same numbers in both types. Sums of up to 301 products, of gradients that are themselves rounded.
    const double tolerance = dtype == Dtype::f32 ? 1e-4 : dtype == Dtype::f16 ? 0.02 : 0.16;
    const std::vector<Tensor> narrow = make_inputs(sample, dtype);
    std::vector<Tensor> wide;
    for (const Tensor& input : narrow) wide.push_back(cast(input, Dtype::f64));
    const auto got = results(sample, narrow), expected = results(sample, wide);
    for (size_t i = 0; i < got.size(); ++i) {
      double largest = 1;
      for (const double value : expected[i]) largest = std::max(largest, std::abs(value));
      for (size_t n = 0; n < got[i].size(); ++n) {
        ASSERT_NEAR(got[i][n], expected[i][n], tolerance * largest)
            << to_string(dtype) << ", result " << i << ", element " << n;
      }
    }
  }
}

TEST_P(FusedGradients, AreTheSameBitsForAnyNumberOfThreads) {
  const OpSample& sample = GetParam().sample;
  const std::vector<Tensor> inputs = make_inputs(sample, Dtype::f32);
  const auto on = [&](int threads) {
    const ThreadCountGuard guard(threads);
    return results(sample, inputs);
  };
  const auto alone = on(1);
  for (const int threads : {2, 3, 8}) EXPECT_TRUE(on(threads) == alone) << threads << " threads";
}

INSTANTIATE_TEST_SUITE_P(Each, FusedGradients, testing::ValuesIn(cases()),
                         [](const testing::TestParamInfo<Case>& tested) { return tested.param.name; });

}  // namespace
}  // namespace espalier::test
