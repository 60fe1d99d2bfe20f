#include "runtime/batch_runner.h"

#include <algorithm>
#include <cmath>
#include <memory>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/create.h"
#include "core/door.h"
#include "core/error.h"
#include "core/parallel.h"
#include "models/bert.h"
#include "models/gpt.h"
#include "models/mlp.h"
#include "models/resnet_cifar.h"
#include "models/seed_net.h"
#include "nn/recurrent.h"
#include "nn/state.h"
#include "ops/argmax.h"
#include "ops/batch_norm.h"
#include "ops/clamp.h"
#include "ops/copy.h"
#include "ops/matmul.h"
#include "ops/multiply.h"
#include "ops/permute.h"
#include "ops/random.h"
#include "ops/relu.h"
#include "ops/reshape.h"
#include "ops/slice.h"
#include "ops/subtract.h"
#include "ops/sum.h"
#include "runtime/capture.h"
#include "runtime/compile.h"
#include "runtime/family_runner.h"
#include "runtime/passes.h"
#include "runtime/quantize.h"
#include "tests/runtime/random_batch_function.h"
#include "tests/support/message_of.h"

namespace espalier::runtime {
namespace {

using espalier::test::message_of;
using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;

/// `f` on `x`, the batch of which is its first axis.
BatchedGraph batched(const Function& f, const Tensor& x, const State& state = {}) {
  const auto at = [f, x, state](int64_t examples) {
    Shape shape = x.shape();
    shape[0] = examples;
    const Tensor like = empty_strided(shape, strides_nested_like(shape, x.shape(), x.strides()), x.dtype());
    return freeze(capture(f, Inputs(&like, 1), state));
  };
  return {at, {0}, x.size(0)};
}

BatchRunner in_parts(const Function& f, const Tensor& x, int64_t parts, const State& state = {}) {
  return BatchRunner(batched(f, x, state), {.threads = 2, .parts = parts});
}

template <class F>
std::string refusal_of(const F& f, const Tensor& x, const State& state = {}) {
  const BatchRunner runner = in_parts(as_function(f), x, 2, state);
  EXPECT_EQ(runner.parts(), 1);
  return runner.refusal();
}

/// Whether the values are those of the other, within a share of their scale; where a NaN is, one is.
bool near(const Tensor& a, const Tensor& b, double share) {
  const std::vector<float> left = a.to_vector<float>(), right = b.to_vector<float>();
  if (a.shape() != b.shape()) return false;
  for (size_t i = 0; i < left.size(); ++i) {
    if (left[i] == right[i] || (std::isnan(left[i]) && std::isnan(right[i]))) continue;
    if (!(std::abs(left[i] - right[i]) <= share * std::max(1.0F, std::abs(right[i])))) return false;
  }
  return true;
}

// Of numbers of about 1, through sums of at most some hundred products, which kernels may add up in another
// order for a part.
constexpr double kRounding = 2e-4;

template <class Net>
void expect_same_in_parts(Net& net, const Tensor& x, std::initializer_list<int64_t> parts) {
  nn::eval(net);
  const NoGrad no_grad;
  const Function f = as_function([&](const Tensor& in) { return net(in); });
  const Tensor expected = in_parts(f, x, 1, State(net)).run(Inputs(&x, 1))[0];
  for (const int64_t count : parts) {
    BatchRunner runner = in_parts(f, x, count, State(net));
    EXPECT_THAT(runner.refusal(), IsEmpty());
    EXPECT_EQ(runner.parts(), count);
    EXPECT_EQ(runner.part_examples(), (x.size(0) + count - 1) / count);
    EXPECT_TRUE(near(runner.run(Inputs(&x, 1))[0], expected, kRounding)) << count << " parts";
  }
}

/// A BERT on texts without padding.
struct Reader {
  Tensor operator()(const Tensor& tokens) const {
    return bert(tokens, ones({tokens.size(0), 1}, Dtype::boolean));
  }
  void visit(nn::Visitor& visitor) { visitor("bert", bert); }

  models::Bert bert{{.vocabulary = 50, .width = 32, .layers = 1, .heads = 2, .feedforward = 64}};
};

TEST(BatchRunner, NetworksRunInParts) {
  manual_seed(1);
  models::ResNetCifar resnet(1);
  expect_same_in_parts(resnet, normal({7, 3, 16, 16}), {2, 3, 7});  // seven images on two threads
  models::SeedNet seed_net;
  expect_same_in_parts(seed_net, normal({4, 3, 16, 16}), {2, 4});
  models::Mlp mlp({12, 20, 5});
  expect_same_in_parts(mlp, normal({10, 12}), {2, 4, 10});
  models::Gpt gpt(2, 32, 2, 16);
  expect_same_in_parts(gpt, random_integers({5, 16}, 0, 65), {2, 5});
  Reader reader;
  expect_same_in_parts(reader, random_integers({4, 8}, 0, 50), {2});
}

struct AllSteps {
  Tensor operator()(const Tensor& x) const { return lstm(x).output; }
  void visit(nn::Visitor& visitor) { visitor("lstm", lstm); }

  nn::LSTM lstm{4, 8};
};

// Its first state is zeros [N, 8]: a constant with the batch in it.
TEST(BatchRunner, ConstantsMayHaveTheBatch) {
  AllSteps net;
  expect_same_in_parts(net, normal({6, 3, 4}), {2, 3});
}

TEST(BatchRunner, QuantisedGraphsRunInParts) {
  manual_seed(2);
  models::ResNetCifar net(1);
  nn::eval(net);
  const NoGrad no_grad;
  const GraphFamily family = capture_family([&](const Tensor& x) { return net(x); }, {{"batch", 0, 0}},
                                            {zeros({4, 3, 16, 16})}, State(net))
                                 .map([](const Graph& graph) { return optimise(freeze(graph)); });
  const Tensor x = normal({4, 3, 16, 16});
  const std::vector<Tensor> batches[] = {{x}};
  const Quantizations ranges = calibrate(family.example(), batches);
  const GraphFamily small = family.map([&](const Graph& graph) { return quantize(graph, ranges); });
  FamilyRunner whole(small), parts(small);
  whole.cut_batches(1);
  parts.cut_batches(2);
  EXPECT_EQ(parts.at({{"batch", 4}}).parts(), 2);
  // Integers have no order of sums.
  EXPECT_TRUE(near(parts.run(Inputs(&x, 1))[0], whole.run(Inputs(&x, 1))[0], 1e-5));
}

TEST(BatchRunner, ExamplesThatDependOnEachOtherStayTogether) {
  const Tensor x = normal({4, 6});
  const NoGrad no_grad;
  EXPECT_THAT(refusal_of([](const Tensor& in) { return in - sum(in, {0}, true); }, x),
              HasSubstr("sum, computes examples from each other"));
  EXPECT_THAT(refusal_of([](const Tensor& in) { return argmax(in, 0); }, x), HasSubstr("argmax"));
  EXPECT_THAT(refusal_of([](const Tensor& in) { return sum(in); }, x), HasSubstr("sum"));
  EXPECT_THAT(refusal_of([](const Tensor& in) { return matmul(in, permute(in, {1, 0})); }, x),
              HasSubstr("matmul"));
  const auto normalised = [](const Tensor& in) {
    return batch_norm(in, Tensor(), Tensor(), Tensor(), Tensor(), {.training = true});
  };
  EXPECT_THAT(refusal_of(normalised, x), HasSubstr("batch_norm"));
}

TEST(BatchRunner, WhatCountsTheExamplesStaysWhole) {
  const Tensor x = normal({4, 6});
  const NoGrad no_grad;
  EXPECT_THAT(refusal_of([](const Tensor& in) { return in * full({in.size(0), 1}, in.size(0)); }, x),
              HasSubstr("differs from part to part"));
  EXPECT_THAT(refusal_of([](const Tensor& in) { return clamp(in, Scalar(0), Scalar(in.size(0))); }, x),
              HasSubstr("attributes that depend on the batch"));
}

TEST(BatchRunner, TheBatchMayLieBehindAnAxisOfOneOnTheWay) {
  const Tensor x = normal({4, 6});
  const Function f = as_function([](const Tensor& in) {
    const Tensor behind = relu(reshape(in, {1, in.size(0), 6}));
    return reshape(behind, {in.size(0), 6});
  });
  BatchRunner runner = in_parts(f, x, 2);
  EXPECT_THAT(runner.refusal(), IsEmpty());
  EXPECT_EQ(runner.parts(), 2);
  EXPECT_TRUE(near(runner.run(Inputs(&x, 1))[0], relu(x), 0));
}

TEST(BatchRunner, StrictEqualityKeepsBatchesWhole) {
  const Function f = as_function([](const Tensor& in) { return relu(in); });
  const BatchOptions options{.threads = 2, .parts = 2, .equality = Equality::strict};
  EXPECT_EQ(BatchRunner(batched(f, zeros({4, 6})), options).parts(), 1);
}

TEST(BatchRunner, RunsThatChangeStatesStayWhole) {
  models::ResNetCifar net(1);
  nn::train(net);
  const NoGrad no_grad;
  EXPECT_THAT(refusal_of([&](const Tensor& in) { return net(in); }, normal({4, 3, 8, 8}), State(net)),
              HasSubstr("changes states"));
}

TEST(BatchRunner, ResultsHaveTheBatchInFront) {
  const Tensor x = normal({4, 6}), fixed = normal({3});
  EXPECT_THAT(refusal_of([](const Tensor& in) { return permute(in * in, {1, 0}); }, x),
              HasSubstr("first axis of the result"));
  // Its rows have the batch in front of them, but not in memory.
  const auto turned = [w = normal({5, 6})](const Tensor& in) {
    return permute(matmul(w, permute(in, {1, 0})), {1, 0});
  };
  EXPECT_THAT(refusal_of(turned, x), HasSubstr("do not lie one behind the other"));
}

TEST(BatchRunner, CodeForOneSizeStaysWhole) {
  const auto picky = [](const Tensor& in) {
    if (in.size(0) != 4) throw std::runtime_error("four or nothing");
    return relu(in);
  };
  EXPECT_THAT(refusal_of(picky, normal({4, 6})), HasSubstr("four or nothing"));
}

TEST(BatchRunner, WhatItCutsGivesWhatTheWholeGives) {
  constexpr uint64_t kFunctions = 400;
  manual_seed(3);
  const Tensor weights = normal({6, 6});
  State state;
  state.add("weights", weights);
  int cut = 0, whole = 0;
  for (uint64_t seed = 0; seed < kFunctions; ++seed) {
    for (const int64_t examples : {6, 7}) {
      SCOPED_TRACE(testing::Message() << "function " << seed << " of " << examples << " examples");
      const Tensor x = normal({examples, 6});
      const Function f = [&](Inputs in) {
        return espalier::test::random_batch_function(seed, in[0], weights);
      };
      const std::vector<Tensor> expected = in_parts(f, x, 1, state).run(Inputs(&x, 1));
      for (const int64_t parts : {2, 3}) {
        BatchRunner runner = in_parts(f, x, parts, state);
        ++(runner.parts() > 1 ? cut : whole);
        const std::vector<Tensor> found = runner.run(Inputs(&x, 1));
        for (size_t i = 0; i < expected.size(); ++i)
          ASSERT_TRUE(near(found[i], expected[i], kRounding)) << runner.parts() << " parts, result " << i;
      }
    }
  }
  // Both happen, so that the comparison says something, and not too seldom.
  EXPECT_GT(cut, 500);
  EXPECT_GT(whole, 200);
}

TEST(BatchRunner, OtherInputsAreSharedByAllParts) {
  const auto f = [](Inputs in) { return std::vector<Tensor>{relu(in[0] * in[1]), matmul(in[0], in[2])}; };
  const auto at = [&](int64_t examples) {
    const Tensor inputs[] = {empty({examples, 3}), empty({3}), empty({3, 2})};
    return capture(f, inputs, {});
  };
  BatchRunner runner({at, {0}, 5}, {.threads = 2, .parts = 3});
  ASSERT_EQ(runner.parts(), 3);
  const Tensor inputs[] = {normal({5, 3}), normal({3}), normal({3, 2})};
  const std::vector<Tensor> found = runner.run(inputs), expected = f(inputs);
  for (size_t i = 0; i < found.size(); ++i) EXPECT_TRUE(near(found[i], expected[i], 1e-6));
}

TEST(BatchRunner, WritesIntoRowsOfTheCallersResults) {
  BatchRunner runner = in_parts(as_function([](const Tensor& in) { return relu(in); }), zeros({5, 3}), 2);
  ASSERT_EQ(runner.parts(), 2);
  const Tensor memory = full({7, 3}, -1.0F), x = ones({5, 3});
  const Tensor result = slice(memory, 0, {1, 6});
  runner.run(Inputs(&x, 1), std::span<const Tensor>(&result, 1));
  std::vector<float> expected(21, 1.0F);
  std::fill_n(expected.begin(), 3, -1.0F);
  std::fill_n(expected.end() - 3, 3, -1.0F);
  EXPECT_EQ(memory.to_vector<float>(), expected);
}

TEST(BatchRunner, ChecksWhatItIsGiven) {
  BatchRunner runner = in_parts(as_function([](const Tensor& in) { return relu(in); }), zeros({4, 3}), 2);
  ASSERT_EQ(runner.parts(), 2);
  const Tensor x = zeros({4, 3}), small = zeros({2, 3}), whole_numbers = zeros({4, 3}, Dtype::i64), none;
  const auto run = [&](const Tensor& in, const Tensor& out) {
    runner.run(Inputs(&in, 1), std::span<const Tensor>(&out, 1));
  };
  EXPECT_THAT(message_of<ShapeError>([&] { run(small, x); }), HasSubstr("input 0"));
  EXPECT_THAT(message_of<ShapeError>([&] { run(x, small); }), HasSubstr("result 0"));
  EXPECT_THAT(message_of<TypeError>([&] { run(whole_numbers, x); }), HasSubstr("i64[4, 3]"));
  EXPECT_THAT(message_of<ValueError>([&] { run(none, x); }), HasSubstr("undefined"));
  EXPECT_THAT(message_of<ValueError>([&] { runner.run({}); }), HasSubstr("0 inputs"));
  const BatchedGraph graph = batched(as_function([](const Tensor& in) { return relu(in); }), x);
  EXPECT_THAT(message_of<ValueError>([&] { BatchRunner(graph, {.parts = -1}); }), HasSubstr("-1 parts"));
  EXPECT_THAT(message_of<ValueError>([&] { BatchRunner(graph, {.threads = -1, .parts = 2}); }),
              HasSubstr("-1 threads"));
  EXPECT_THAT(message_of<ValueError>([&] { BatchRunner({graph.at, {1}, 4}); }), HasSubstr("no input 1"));
}

TEST(BatchRunner, ErrorsOfPartsReachTheCaller) {
  models::Gpt gpt(1, 16, 2, 8);
  const NoGrad no_grad;
  BatchRunner runner = in_parts(as_function([&](const Tensor& in) { return gpt(in); }),
                                zeros({4, 8}, Dtype::i64), 4, State(gpt));
  ASSERT_EQ(runner.parts(), 4);
  const Tensor good = zeros({4, 8}, Dtype::i64), bad = full({4, 8}, 1000, Dtype::i64);
  EXPECT_THROW(runner.run(Inputs(&bad, 1)), Error);
  EXPECT_NO_THROW(runner.run(Inputs(&good, 1)));
}

TEST(BatchRunner, GivesTheSameBitsWhoeverHasAPart) {
  manual_seed(4);
  models::ResNetCifar net(1);
  nn::eval(net);
  const NoGrad no_grad;
  const Function f = as_function([&](const Tensor& in) { return net(in); });
  const Tensor x = normal({7, 3, 16, 16});
  BatchRunner two = in_parts(f, x, 5, State(net));
  BatchRunner one(batched(f, x, State(net)), {.threads = 1, .parts = 5});
  EXPECT_EQ(two.threads(), 2);
  const std::vector<float> expected = one.run(Inputs(&x, 1))[0].to_vector<float>();
  for (int i = 0; i < 5; ++i) EXPECT_EQ(two.run(Inputs(&x, 1))[0].to_vector<float>(), expected);
}

/// Rows of numbers that go through so many products that threads pay.
models::Mlp deep_mlp() {
  return models::Mlp(std::vector<int64_t>(24, 32));
}

TEST(BatchRunner, CutsWhereThatIsEstimatedToPay) {
  models::Mlp deep = deep_mlp(), wide({784, 1024, 1024, 10}), small({8, 8});
  const NoGrad no_grad;
  const auto parts = [](models::Mlp& net, int64_t width, int threads) {
    const Function f = as_function([&](const Tensor& in) { return net(in); });
    return BatchRunner(batched(f, zeros({4096, width}), State(net)), {.threads = threads}).parts();
  };
  EXPECT_GE(parts(deep, 32, 2), 2);
  EXPECT_EQ(parts(deep, 32, 1), 1);
  EXPECT_EQ(parts(small, 8, 2), 1);
  // Why not is said, too, where nobody asked for parts.
  const auto normalised = [&](const Tensor& in) { return deep(in) - sum(in, {0}, true); };
  const BatchRunner together(batched(as_function(normalised), zeros({4096, 32}), State(deep)),
                             {.threads = 2});
  EXPECT_EQ(together.parts(), 1);
  EXPECT_THAT(together.refusal(), HasSubstr("sum"));
  // Each thread would read all of the weights for a few rows.
  const Function f = as_function([&](const Tensor& in) { return wide(in); });
  EXPECT_EQ(BatchRunner(batched(f, zeros({16, 784}), State(wide)), {.threads = 2}).parts(), 1);
}

TEST(BatchRunner, CutsByTimesThatAreKept) {
  models::Mlp net = deep_mlp();
  const NoGrad no_grad;
  const BatchedGraph graph =
      batched(as_function([&](const Tensor& in) { return net(in); }), zeros({512, 32}), State(net));
  KernelChoices timed;
  const BatchRunner first(graph, {.threads = 2, .choices = &timed});
  ASSERT_GE(first.timings().size(), 2U);
  std::string problem;
  for (const auto& [name, timings] : timed.problems()) {
    if (name.starts_with("parts of a batch")) problem = name;
  }
  EXPECT_THAT(problem, AllOf(HasSubstr("f32[512, 32]"), HasSubstr("2 threads")));
  for (const int64_t best : {1, 2, 8}) {
    KernelChoices fixed;
    fixed.add(problem, {{"9 lives", 1e-6}, {std::to_string(best) + (best == 1 ? " part" : " parts"), 1e-3}});
    EXPECT_EQ(BatchRunner(graph, {.threads = 2, .choices = &fixed}).parts(), best);
    EXPECT_EQ(fixed.find(problem)->size(), 2U);  // nothing was timed again
  }
}

TEST(FamilyRunner, CutsBatches) {
  manual_seed(5);
  models::ResNetCifar net(1);
  nn::eval(net);
  const NoGrad no_grad;
  const ThreadCountGuard threads(2);
  FamilyRunner runner(capture_family([&](const Tensor& x) { return net(x); }, {{"batch", 0, 0}},
                                     {zeros({4, 3, 16, 16})}, State(net)));
  runner.cut_batches(2);
  for (const int64_t batch : {1, 5, 8}) {
    const Tensor x = normal({batch, 3, 16, 16});
    EXPECT_TRUE(near(runner.run(Inputs(&x, 1))[0], net(x), kRounding));
    EXPECT_EQ(runner.at({{"batch", batch}}).parts(), std::min<int64_t>(batch, 2));
  }
}

TEST(Compile, CutsBatches) {
  manual_seed(6);
  models::ResNetCifar net(1);
  nn::eval(net);
  const NoGrad no_grad;
  const ThreadCountGuard threads(2);
  auto f = compile([&](const Tensor& x) { return net(x); }, net);
  f.cut_batches(2);
  const Tensor x = normal({7, 3, 16, 16});
  EXPECT_TRUE(near(f(x), net(x), kRounding));
  EXPECT_EQ(f.plan(Inputs(&x, 1)).graph().value(f.plan(Inputs(&x, 1)).graph().inputs()[0]).type.size(0), 4);
  // Parts see new weights, too.
  for (const Tensor& parameter : nn::parameters(net)) copy_(parameter, normal(parameter.shape(), 0, 0.1));
  EXPECT_TRUE(near(f(x), net(x), kRounding));
}

}  // namespace
}  // namespace espalier::runtime
