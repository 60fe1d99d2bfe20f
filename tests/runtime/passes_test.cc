#include "runtime/passes.h"

#include <bit>
#include <cmath>
#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/create.h"
#include "core/error.h"
#include "ops/accumulate.h"
#include "ops/add.h"
#include "ops/cast.h"
#include "ops/copy.h"
#include "ops/divide.h"
#include "ops/dropout.h"
#include "ops/gelu.h"
#include "ops/maximum.h"
#include "ops/multiply.h"
#include "ops/negate.h"
#include "ops/permute.h"
#include "ops/power.h"
#include "ops/random.h"
#include "ops/relu.h"
#include "ops/reshape.h"
#include "ops/softmax.h"
#include "ops/subtract.h"
#include "ops/sum.h"
#include "ops/tanh.h"
#include "runtime/capture.h"
#include "runtime/runner.h"
#include "tests/runtime/random_function.h"
#include "tests/support/message_of.h"

namespace espalier::runtime {
namespace {

using espalier::test::message_of;
using espalier::test::random_function;
using testing::HasSubstr;

/// The names of the operations, in order.
std::string names(const Graph& graph) {
  std::string text;
  for (const Node& node : graph.nodes())
    text += (text.empty() ? "" : " ") + std::string(node.operation->name());
  return text;
}

TEST(Passes, DeadNodesGo) {
  const Graph graph = capture([](const Tensor& x) { return tanh(x), relu(x + x); }, {zeros({3})});
  EXPECT_EQ(names(graph), "tanh add relu");
  EXPECT_EQ(names(remove_dead_nodes(graph)), "add relu");
}

TEST(Passes, CopiesGoUnlessTheyChangeTheLayout) {
  const Graph graph = capture(
      [](const Tensor& x) {
        const Tensor same = relu(copy(x));
        const Tensor turned = permute(x, {1, 0});
        const Tensor row_major = contiguous(turned);
        return same + row_major + tanh(copy(turned));
      },
      {zeros({3, 3})});
  EXPECT_EQ(names(graph), "copy relu permute copy copy tanh add add");
  EXPECT_EQ(names(remove_copies(graph)), "relu permute copy tanh add add");
}

TEST(Passes, TheSameWorkIsDoneOnce) {
  const Graph graph = capture(
      [](const Tensor& x) {
        const Tensor a = relu(x), b = relu(x);
        const Tensor c = tanh(a * b), d = tanh(b * a), e = a + tanh(x);
        return std::vector<Tensor>{c, d, e};
      },
      {zeros({3})});
  EXPECT_EQ(names(graph), "relu relu multiply tanh multiply tanh tanh add");
  const Graph merged = merge_common_subexpressions(graph);
  EXPECT_EQ(names(merged), "relu multiply tanh tanh add");
  EXPECT_EQ(merged.outputs()[0], merged.outputs()[1]);
}

TEST(Passes, DrawsOfRandomNumbersAreNotTheSameWork) {
  const Graph graph =
      capture([](const Tensor& x) { return dropout(x, 0.5) + dropout(x, 0.5); }, {zeros({3})});
  EXPECT_EQ(names(merge_common_subexpressions(graph)), "dropout dropout add");
}

TEST(Passes, FreezingSparesTheStatesThatChange) {
  const Tensor sum = zeros({3}), weight = full({3}, 2.0);
  State state;
  state.add("sum", sum).add("weight", weight);
  const auto add_up = [&](const Tensor& x) { return accumulate_(sum, x * weight) + weight; };
  const Graph frozen = freeze(capture(add_up, {zeros({3})}, state));
  ASSERT_EQ(frozen.states().size(), 1u);
  EXPECT_EQ(frozen.value(frozen.states()[0]).name, "sum");
  Runner runner(std::make_shared<const Plan>(frozen));
  const Tensor x = ones({3});
  runner.run(Inputs(&x, 1));
  EXPECT_EQ(runner.run(Inputs(&x, 1))[0].to_vector<float>(), std::vector<float>(3, 6));
  EXPECT_EQ(sum.to_vector<float>(), std::vector<float>(3, 4));
}

TEST(Passes, FoldingDoesNotChangeConstantsInPlace) {
  const auto count = [](const Tensor& x) {
    const Tensor counter = copy(from_values({1.0f, 2.0f, 3.0f}, {3}));
    return accumulate_(empty_like(x), counter) + x;  // what lies in empty memory is 0 in a graph
  };
  const Graph graph = capture(count, {zeros({3})});
  fold_constants(graph);
  Runner runner(std::make_shared<const Plan>(graph));
  const Tensor x = zeros({3});
  EXPECT_EQ(runner.run(Inputs(&x, 1))[0].to_vector<float>(), (std::vector<float>{1, 2, 3}));
}

/// What simplify() leaves of `f`, of one input.
template <class F>
std::string simplified(const F& f, Dtype dtype = Dtype::f32) {
  const Graph graph = capture(f, {zeros({3, 4}, dtype)});
  return names(remove_dead_nodes(simplify(graph)));
}

TEST(Passes, SimplifyingTakesCheaperOperations) {
  EXPECT_EQ(simplified([](const Tensor& x) { return power(x, 2.0); }), "multiply");
  EXPECT_EQ(simplified([](const Tensor& x) { return power(x, 0.5); }), "sqrt");
  EXPECT_EQ(simplified([](const Tensor& x) { return power(x, -1.0); }), "reciprocal");
  EXPECT_EQ(simplified([](const Tensor& x) { return power(x, -0.5); }), "rsqrt");
  EXPECT_EQ(simplified([](const Tensor& x) { return power(x, 2.5); }), "power");
  EXPECT_EQ(simplified([](const Tensor& x) { return power(x, int64_t{2}); }, Dtype::i32), "power");
  EXPECT_EQ(simplified([](const Tensor& x) { return x / -8.0; }), "multiply");
  EXPECT_EQ(simplified([](const Tensor& x) { return x / 3.0; }), "divide");
  EXPECT_EQ(simplified([](const Tensor& x) { return x / 0x1p127; }),
            "divide");  // 1 over that is no normal number
  EXPECT_EQ(simplified([](const Tensor& x) { return x / 8.0; }, Dtype::f16), "divide");
  EXPECT_EQ(simplified([](const Tensor& x) { return maximum(x, 0.0); }), "relu");
  EXPECT_EQ(simplified([](const Tensor& x) { return maximum(x, -0.0); }), "maximum");
  EXPECT_EQ(simplified([](const Tensor& x) { return maximum(x, 1.0); }), "maximum");
}

TEST(Passes, SimplifyingLeavesOutWhatChangesNothing) {
  EXPECT_EQ(simplified([](const Tensor& x) { return tanh(x * 1.0); }), "tanh");
  EXPECT_EQ(simplified([](const Tensor& x) { return tanh(1.0 * x); }), "tanh");
  EXPECT_EQ(simplified([](const Tensor& x) { return tanh(x / 1.0); }), "tanh");
  EXPECT_EQ(simplified([](const Tensor& x) { return tanh(power(x, 1.0)); }), "tanh");
  EXPECT_EQ(simplified([](const Tensor& x) { return tanh(x - 0.0); }), "tanh");
  EXPECT_EQ(simplified([](const Tensor& x) { return tanh(x + -0.0); }), "tanh");
  EXPECT_EQ(simplified([](const Tensor& x) { return tanh(-(-x)); }), "tanh");
  EXPECT_EQ(simplified([](const Tensor& x) { return tanh(reshape(x, {3, -1})); }), "tanh");
  EXPECT_EQ(simplified([](const Tensor& x) { return x + int64_t{0}; }, Dtype::i64), "");
  // -0 + 0 is 0, 0 - x is no x, 1 / x neither, and 1 of another shape makes another shape.
  EXPECT_EQ(simplified([](const Tensor& x) { return tanh(x + 0.0); }), "add tanh");
  EXPECT_EQ(simplified([](const Tensor& x) { return tanh(x - -0.0); }), "subtract tanh");
  EXPECT_EQ(simplified([](const Tensor& x) { return tanh(0.0 - x); }), "subtract tanh");
  EXPECT_EQ(simplified([](const Tensor& x) { return tanh(1.0 - (-x)); }), "negate subtract tanh");
  EXPECT_EQ(simplified([](const Tensor& x) { return tanh(1.0 / x); }), "divide tanh");
  EXPECT_EQ(simplified([](const Tensor& x) { return tanh(reshape(x, {4, 3})); }), "reshape tanh");
  EXPECT_EQ(simplified([](const Tensor& x) { return tanh(permute(reshape(x, {3, 4}), {1, 0})); }),
            "permute tanh");
}

TEST(Passes, SimplifyingKeepsTheBitsOfEveryNumber) {
  const float inf = std::numeric_limits<float>::infinity(), nan = std::numeric_limits<float>::quiet_NaN();
  const Tensor x = from_values({0.0f, -0.0f, inf, -inf, nan, 1e-42f, -3.0f, 1.17549435e-38f, 3.4e38f}, {9});
  const auto f = [](const Tensor& a) {
    return std::vector<Tensor>{power(a, 2.0), power(a, 0.5), power(a, -1.0), power(a, -0.5),
                               a / 8.0,       a / -0.25,     a - 0.0,        maximum(a, 0.0),
                               a + -0.0,      -(-a),         a * 1.0,        a / 1.0};
  };
  const Graph graph = capture(f, {x});
  const auto bits = [&](const Graph& of) {
    std::vector<uint32_t> all;
    Runner runner(std::make_shared<const Plan>(of));
    for (const Tensor& y : runner.run(Inputs(&x, 1))) {
      for (const float value : y.to_vector<float>())
        all.push_back(std::isnan(value) ? 1 : std::bit_cast<uint32_t>(value));
    }
    return all;
  };
  EXPECT_EQ(bits(simplify(graph)), bits(graph));
}

TEST(Passes, ElementwiseChainsBecomeOne) {
  const Graph graph = capture(
      [](const Tensor& x, const Tensor& bias) {
        const Tensor y = tanh(x * x + bias);                      // one with what follows
        const Tensor sums = sum(y, {1}, true);                    // of y, so that it is put out as well
        return std::vector<Tensor>{relu(relu(y) + sums) + bias};  // behind the sum
      },
      {zeros({3, 4}), zeros({4})});
  EXPECT_EQ(names(graph), "multiply add tanh sum relu add relu add");
  const Graph fused = fuse_elementwise(graph);
  EXPECT_EQ(names(fused), "fused_elementwise sum fused_elementwise");
  const std::string text = to_string(fused);
  EXPECT_THAT(text, HasSubstr("program=t0 = multiply(x0, x0); t1 = add(t0, x1); t2 = tanh(t1), results=[2]"));
  EXPECT_THAT(text, HasSubstr("program=t0 = relu(x0); t1 = add(t0, x1); t2 = relu(t1); t3 = add(t2, x2)"));
}

TEST(Passes, ElementwiseChainsConvert) {
  const auto f = [](const Tensor& x, const Tensor& y) {
    return cast(gelu(cast(x, Dtype::f32) + y), Dtype::bf16);
  };
  const Graph graph = capture(f, {zeros({3, 4}, Dtype::bf16), zeros({3, 4})});
  EXPECT_THAT(to_string(fuse_elementwise(graph)),
              HasSubstr("program=t0 = cast(x0); t1 = add(t0, x1); t2 = gelu(t1); t3 = cast(t2), "
                        "t0.dtype=f32, t2.form=tanh, t3.dtype=bf16"));
}

TEST(Passes, ElementwiseChainsStayApartWhereAnotherReadsBetween) {
  const auto f = [](const Tensor& x) {
    const Tensor y = tanh(x);
    return y * softmax(y, 0);
  };
  EXPECT_EQ(names(fuse_elementwise(capture(f, {zeros({3})}))), "tanh softmax multiply");
}

TEST(Passes, ElementwiseChainsStayApartWhereWhatTheyReadChangesBetween) {
  const Tensor state = ones({3});
  State all;
  all.add("state", state);
  const auto f = [&](const Tensor& x) {
    const Tensor y = tanh(x) * state;
    accumulate_(state, softmax(x, 0));
    return relu(y);
  };
  EXPECT_EQ(names(fuse_elementwise(capture(f, {zeros({3})}, all))),
            "fused_elementwise softmax accumulate relu");
}

TEST(Passes, UnknownNamesAreRefused) {
  const std::vector<std::string_view> wanted = {"remove_copies", "remove_bugs"};
  EXPECT_THAT(message_of<ValueError>([&] { optimise(Graph(), wanted); }),
              HasSubstr("remove_bugs; there are remove_dead_nodes, remove_copies"));
}

/// The results of a graph, then the state after it.
std::vector<std::vector<float>> outcome(const Graph& graph, const Tensor& input, const Tensor& state,
                                        const Tensor& start) {
  copy_(state, start);
  manual_seed(3);
  Runner runner(std::make_shared<const Plan>(graph));
  std::vector<std::vector<float>> all;
  for (const Tensor& result : runner.run(Inputs(&input, 1))) all.push_back(result.to_vector<float>());
  all.push_back(state.to_vector<float>());
  return all;
}

TEST(Passes, RandomCodeComputesTheSameBitsUnderAnySubset) {
  constexpr uint64_t kFunctions = 2000;
  const Tensor input = normal({4, 4}), start = normal({4, 4}), state = empty({4, 4});
  State all;
  all.add("state", state);
  size_t nodes = 0, left = 0;
  for (uint64_t seed = 0; seed < kFunctions; ++seed) {
    copy_(state, start);
    manual_seed(3);
    std::vector<std::vector<float>> expected;
    for (const Tensor& result : random_function(seed, input, state))
      expected.push_back(result.to_vector<float>());
    expected.push_back(state.to_vector<float>());

    const Graph graph =
        capture([&](const Tensor& x) { return random_function(seed, x, state); }, {input}, all);
    std::vector<std::string_view> some;
    for (size_t i = 0; i < passes().size(); ++i) {
      if (seed >> i & 1u) some.push_back(passes()[i].name);
    }
    ASSERT_EQ(outcome(optimise(graph, some), input, state, start), expected) << "seed " << seed << '\n'
                                                                             << graph;
    const Graph best = optimise(graph);
    ASSERT_EQ(outcome(best, input, state, start), expected) << "seed " << seed << '\n'
                                                            << graph << '\n'
                                                            << best;
    nodes += graph.nodes().size();
    left += best.nodes().size();
  }
  EXPECT_LT(static_cast<double>(left),
            0.8 * static_cast<double>(nodes));  // so the passes have had something to do
}

}  // namespace
}  // namespace espalier::runtime
