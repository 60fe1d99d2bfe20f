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
#include "ops/avg_pool2d.h"
#include "ops/batch_norm.h"
#include "ops/cast.h"
#include "ops/conv2d.h"
#include "ops/copy.h"
#include "ops/cross_entropy.h"
#include "ops/divide.h"
#include "ops/exp.h"
#include "ops/group_norm.h"
#include "ops/l1_loss.h"
#include "ops/layer_norm.h"
#include "ops/linear.h"
#include "ops/log.h"
#include "ops/matmul.h"
#include "ops/max_pool2d.h"
#include "ops/permute.h"
#include "ops/rms_norm.h"
#include "ops/softmax.h"
#include "ops/subtract.h"
#include "ops/sum.h"
#include "tests/support/op_test.h"

namespace espalier::test {
namespace {

using Function = std::function<Tensors(Inputs)>;

struct FusedCase {
  std::string name;
  std::vector<InputSpec> inputs;
  Function fused, simple;
  bool any_threads = true;  ///< whether the bits are the same for any number of threads
};

void PrintTo(const FusedCase& tested, std::ostream* out) {
  *out << tested.name;
}

/// The same case with the first input, an image, in channels-last memory.
FusedCase channels_last_case(const FusedCase& given) {
  FusedCase result = given;
  result.name += "_channels_last";
  result.fused = [fused = given.fused](Inputs in) {
    std::vector<Tensor> inputs(in.begin(), in.end());
    inputs[0] = channels_last(inputs[0]);
    return fused(inputs);
  };
  return result;
}

/// Operations on images: more channels than a vector or a block, several blocks, odd sizes. Their f64 kernels
/// are plain loops, so those that have no simpler form are compared with themselves.
std::vector<FusedCase> image_cases() {
  const BatchNormOptions training{.training = true};
  const auto normalize = [=](Inputs in) {
    return Tensors{batch_norm(in[0], in[1], in[2], {}, {}, training)};
  };
  const auto normalize_simply = [=](Inputs in) {
    const Tensor inputs[] = {in[0], in[1], in[2], {}, {}};
    return BatchNorm(training).decompose(inputs);
  };
  const auto statistics = [](const Tensor& x) {
    return std::pair(full({x.shape()[1]}, 0.25, x.dtype()), full({x.shape()[1]}, 2.5, x.dtype()));
  };
  const auto evaluate = [=](Inputs in) {
    const auto [mean, variance] = statistics(in[0]);
    return Tensors{batch_norm(in[0], in[1], in[2], mean, variance)};
  };
  const auto evaluate_simply = [=](Inputs in) {
    const auto [mean, variance] = statistics(in[0]);
    const Tensor inputs[] = {in[0], in[1], in[2], mean, variance};
    return BatchNorm({}).decompose(inputs);
  };
  const auto groups = [](int64_t count) {
    return [count](Inputs in) { return Tensors{group_norm(in[0], count, in[1], in[2])}; };
  };
  const auto groups_simply = [](int64_t count) {
    return [count](Inputs in) { return GroupNorm(count, 1e-5).decompose(in); };
  };
  const auto share = [](Inputs in) { return Tensors{softmax(in[0], 1)}; };
  const auto share_simply = [](Inputs in) {
    const Tensor e = exp(in[0]);
    return Tensors{e / sum(e, {1}, true)};
  };
  const auto convolve = [](Inputs in) {
    return Tensors{conv2d(in[0], in[1], in[2], {.stride = Size2d(2, 1), .padding = 1})};
  };
  const auto largest = [](Inputs in) { return Tensors{max_pool2d(in[0], 3, {.stride = 2, .padding = 1})}; };
  const auto average = [](Inputs in) {
    return Tensors{avg_pool2d(in[0], 3, {.stride = 2, .padding = 1, .count_include_pad = false})};
  };
  std::vector<FusedCase> cases = {
      {"batch_norm", {{{3, 21, 17, 19}}, {{21}}, {{21}}}, normalize, normalize_simply},
      {"batch_norm_evaluation", {{{3, 21, 17, 19}}, {{21}}, {{21}}}, evaluate, evaluate_simply},
      {"group_norm", {{{2, 24, 23, 31}}, {{24}}, {{24}}}, groups(4), groups_simply(4)},
      {"group_norm_many_images", {{{12, 18, 5, 7}}, {{18}}, {{18}}}, groups(18), groups_simply(18)},
      {"softmax", {{{3, 21, 9, 11}}}, share, share_simply},
      {"conv2d", {{{3, 18, 11, 13}}, {{20, 18, 3, 3}}, {{20}}}, convolve, convolve, false},
      {"max_pool2d", {{{3, 70, 11, 13}}}, largest, largest},
      {"avg_pool2d", {{{3, 70, 11, 13}}}, average, average},
  };
  for (size_t i = 0, given = cases.size(); i < given; ++i) cases.push_back(channels_last_case(cases[i]));
  return cases;
}

std::vector<FusedCase> cases() {
  const auto attend = [](Causal causal) {
    return [causal](Inputs in) { return Tensors{attention(in[0], in[1], in[2], {.causal = causal})}; };
  };
  const auto attend_simply = [](Causal causal) {
    return [causal](Inputs in) {
      return Attention(causal).decompose(std::array{in[0], in[1], in[2], Tensor()});
    };
  };
  const CrossEntropy mixing({.label_smoothing = 0.1, .reduction = LossReduction::none});
  const HuberLossOptions huber = {.delta = 0.75, .reduction = LossReduction::none};
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
      {"rms_norm",
       {{{301, 45}}, {{45}}},
       [](Inputs in) { return Tensors{rms_norm(in[0], {45}, in[1], 1e-5)}; },
       [](Inputs in) { return RmsNorm(1, 1e-5).decompose(in); }},
      {"log_softmax",
       {{{301, 45}}},
       [](Inputs in) { return Tensors{log_softmax(in[0], 1)}; },
       [](Inputs in) { return Tensors{in[0] - log(sum(exp(in[0]), {1}, true))}; }},
      {"attention_heads",
       {{{9, 70, 20}}, {{9, 70, 20}}, {{9, 70, 33}}},
       attend(Causal::upper_left),
       attend_simply(Causal::upper_left)},
      {"cross_entropy",
       {{{300, 45}}, {{300, 45}, 0, 1}},
       [=](Inputs in) { return apply(mixing, in.first(2)); },
       [=](Inputs in) { return mixing.decompose(in); }},
      {"huber_loss",
       {{{150, 170}}, {{150, 170}}},
       [=](Inputs in) { return Tensors{huber_loss(in[0], in[1], huber)}; },
       [=](Inputs in) { return HuberLoss(huber.delta, huber.reduction).decompose(in); }},
      {"attention_one_head",
       {{{1, 70, 20}}, {{1, 150, 20}}, {{1, 150, 33}}},
       attend(Causal::none),
       attend_simply(Causal::none)},
  };
}

std::vector<Tensor> inputs_of(const FusedCase& fused, Dtype dtype) {
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

class FusedGradients : public testing::TestWithParam<FusedCase> {};

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
  if (!GetParam().any_threads) GTEST_SKIP() << "a library adds one part a thread, as the header says";
  const std::vector<Tensor> inputs = inputs_of(GetParam(), Dtype::f32);
  const auto on = [&](int threads) {
    const ThreadCountGuard guard(threads);
    return results(GetParam().fused, inputs);
  };
  const auto alone = on(1);
  for (const int threads : {2, 3, 8}) EXPECT_TRUE(on(threads) == alone) << threads << " threads";
}

const auto name_of = [](const testing::TestParamInfo<FusedCase>& tested) { return tested.param.name; };
INSTANTIATE_TEST_SUITE_P(Each, FusedGradients, testing::ValuesIn(cases()), name_of);
INSTANTIATE_TEST_SUITE_P(Images, FusedGradients, testing::ValuesIn(image_cases()), name_of);

}  // namespace
}  // namespace espalier::test
