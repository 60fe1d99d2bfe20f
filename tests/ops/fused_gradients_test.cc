// What the numeric gradient checks, on a few numbers in f64, leave open about operations with a backward of
// their own: several blocks, f32 and the narrow types, and the same bits for any number of threads.

#include <algorithm>
#include <cmath>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "autograd/autograd.h"
#include "core/parallel.h"
#include "ops/add.h"
#include "ops/attention.h"
#include "ops/cast.h"
#include "ops/layer_norm.h"
#include "ops/linear.h"
#include "ops/matmul.h"
#include "ops/permute.h"
#include "tests/support/op_test.h"

namespace espalier::test {
namespace {

using Function = std::function<Tensors(Inputs)>;

struct Case {
  std::string name;
  std::vector<InputSpec> inputs;
  Function fused, simple;
};

std::vector<Case> cases() {
  const auto attend = [](bool causal) {
    return [causal](Inputs in) { return Tensors{attention(in[0], in[1], in[2], causal)}; };
  };
  const auto attend_simply = [](bool causal) {
    return [causal](Inputs in) { return Attention(causal).decompose(in); };
  };
  // More heads than threads, so that each is one pass, and one head, so that blocks are dealt out; several
  // blocks of queries and keys, the last ones partial.
  return {
      {"linear",
       {{{150, 20}}, {{45, 20}}, {{45}}},
       [](Inputs in) { return Tensors{linear(in[0], in[1], in[2])}; },
       [](Inputs in) { return Tensors{matmul(in[0], transpose(in[1], 0, 1)) + in[2]}; }},
      {"layer_norm",
       {{{301, 45}}, {{45}}, {{45}}},
       [](Inputs in) { return Tensors{layer_norm(in[0], {45}, in[1], in[2], 1e-5)}; },
       [](Inputs in) { return LayerNorm(1, 1e-5).decompose(in); }},
      {"attention_heads", {{{9, 70, 20}}, {{9, 70, 20}}, {{9, 70, 33}}}, attend(true), attend_simply(true)},
      {"attention_one_head",
       {{{1, 70, 20}}, {{1, 150, 20}}, {{1, 150, 33}}},
       attend(false),
       attend_simply(false)},
  };
}

std::vector<Tensor> inputs_of(const Case& fused, Dtype dtype) {
  return make_inputs({fused.name, fused.inputs, {}, {}}, dtype);
}

/// The output and the gradients of half its sum of squares.
std::vector<std::vector<double>> results(const Function& f, const std::vector<Tensor>& inputs) {
  std::vector<Tensor> leaves;
  for (const Tensor& input : inputs) leaves.push_back(requires_grad_(input.detach()));
  const Tensor output = f(leaves)[0];
  std::vector<Tensor> found = grad(std::span(&output, 1), leaves, {.gradients = {output.detach()}});
  found.push_back(output);
  std::vector<std::vector<double>> values;
  for (const Tensor& tensor : found) {
    values.push_back(cast(tensor.detach(), Dtype::f64).to_vector<double>());
  }
  return values;
}

class FusedGradients : public testing::TestWithParam<Case> {};

TEST_P(FusedGradients, AgreeWithThoseOfSimpleOperationsInDoublePrecision) {
  // Sums of up to 301 products, of gradients that are themselves rounded.
  const std::pair<Dtype, double> tolerances[] = {
      {Dtype::f64, 1e-12}, {Dtype::f32, 1e-4}, {Dtype::f16, 0.02}, {Dtype::bf16, 0.16}};
  for (const auto& [dtype, tolerance] : tolerances) {
    const std::vector<Tensor> inputs = inputs_of(GetParam(), dtype);
    std::vector<Tensor> wide;
    for (const Tensor& input : inputs) wide.push_back(cast(input, Dtype::f64));
    const auto got = results(GetParam().fused, inputs), expected = results(GetParam().simple, wide);
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
  const std::vector<Tensor> inputs = inputs_of(GetParam(), Dtype::f32);
  const auto on = [&](int threads) {
    const ThreadCountGuard guard(threads);
    return results(GetParam().fused, inputs);
  };
  const auto alone = on(1);
  for (const int threads : {2, 3, 8}) EXPECT_TRUE(on(threads) == alone) << threads << " threads";
}

INSTANTIATE_TEST_SUITE_P(Each, FusedGradients, testing::ValuesIn(cases()),
                         [](const testing::TestParamInfo<Case>& tested) { return tested.param.name; });

}  // namespace
}  // namespace espalier::test
