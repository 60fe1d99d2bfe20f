#include <cmath>

#include <gtest/gtest.h>

#include "core/create.h"
#include "ops/add.h"
#include "ops/avg_pool2d.h"
#include "ops/conv2d.h"
#include "ops/copy.h"
#include "ops/fused_conv2d.h"
#include "ops/max_pool2d.h"
#include "ops/mse_loss.h"
#include "ops/multiply.h"
#include "ops/permute.h"
#include "ops/random.h"
#include "ops/relu.h"
#include "ops/reshape.h"
#include "runtime/capture.h"
#include "runtime/passes.h"
#include "runtime/runner.h"
#include "tests/runtime/random_images.h"

namespace espalier::runtime {
namespace {

using Outputs = std::vector<Tensor>;

/// The names of the operations, in order.
std::string names_in(const Graph& graph) {
  std::string text;
  for (const Node& node : graph.nodes())
    text += (text.empty() ? "" : " ") + std::string(node.operation->name());
  return text;
}

Tensor image(int64_t channels = 16) {
  return zeros({2, channels, 8, 8});
}
Tensor convolved(const Tensor& x) {
  return conv2d(x, ones({16, x.size(1), 3, 3}), {}, {.padding = 1});
}

/// The graph of `f` after the pass, which keeps the layouts of what the graph puts out.
template <class F>
Graph assigned(F f, const std::vector<Tensor>& examples) {
  const Graph graph = capture(as_function(f), examples), after = assign_layouts(graph);
  verify(after);
  for (size_t i = 0; i < graph.outputs().size(); ++i)
    EXPECT_EQ(after.value(after.outputs()[i]).type.strides(), graph.value(graph.outputs()[i]).type.strides());
  return after;
}

TEST(AssignLayouts, LeavesChannelsLastCodeAsItIs) {
  const auto f = [](const Tensor& x) { return max_pool2d(relu(convolved(x)) + x, 2); };
  const Graph graph = capture(f, {channels_last(image())});
  EXPECT_TRUE(assign_layouts(graph) == graph);
}

TEST(AssignLayouts, AConvolutionCopiesWhatItAloneReads) {
  EXPECT_EQ(names_in(assigned(convolved, {image()})), "conv2d");
}

TEST(AssignLayouts, ConvolutionsShareACopy) {
  const auto f = [](const Tensor& x) { return Outputs{convolved(x), convolved(x)}; };
  EXPECT_EQ(names_in(assigned(f, {image()})), "copy conv2d conv2d");
  EXPECT_EQ(names_in(assigned(f, {image(1)})), "conv2d conv2d");  // one channel lies the same either way
}

TEST(AssignLayouts, ReadsWhatACopyWasMadeOf) {
  const auto f = [](const Tensor& x) {
    const Tensor y = contiguous(convolved(x));
    return Outputs{convolved(y), convolved(y)};
  };
  EXPECT_EQ(names_in(assigned(f, {image()})), "conv2d conv2d conv2d");
  const auto both = [](const Tensor& x) { return convolved(channels_last(x)) + convolved(x); };
  EXPECT_EQ(names_in(assigned(both, {image()})), "copy conv2d conv2d add");
}

TEST(AssignLayouts, WhatIsInNeitherLayoutIsCopiedAsTheCodeDoes) {
  const auto f = [](const Tensor& x) {
    const Tensor y = contiguous(permute(x, {0, 1, 3, 2}));
    return Outputs{convolved(y), convolved(y)};
  };
  EXPECT_EQ(names_in(assigned(f, {image()})), "permute copy copy conv2d conv2d");
}

TEST(AssignLayouts, AStateKeepsItsLayoutWhereANewImageReplacesIt) {
  const Tensor state = zeros({2, 16, 4, 4});
  Graph graph;
  const ValueId x = graph.add_input("x", image()), kept = graph.add_state("state", state);
  const std::vector<ValueId> pooled = {x};
  graph.update_state(kept, graph.add(AvgPool2d(2), pooled)[0]);
  const Graph after = assign_layouts(graph);
  EXPECT_EQ(names_in(after), "copy avg_pool2d copy");
  EXPECT_TRUE(after.value(after.updates()[0].value).type.is_contiguous());
  Runner runner(std::make_shared<const Plan>(after));
  const Tensor given = normal({2, 16, 8, 8});
  runner.run(Inputs(&given, 1));
  EXPECT_EQ(state.to_vector<float>(), contiguous(avg_pool2d(given, 2)).to_vector<float>());
}

TEST(AssignLayouts, CopiesGradientsBeforePoolingMakesThemLarger) {
  const auto f = [](const Tensor& gradient, const Tensor& y) {
    const Tensor spread = apply_one(AvgPool2dBackward({8, 8}, AvgPool2d(2)), gradient);
    const Tensor found = apply_one(ReluBackward(), spread, y);
    return apply_one(Conv2dBackwardData({.padding = 1}, {8, 8}), found, ones({16, 16, 3, 3}));
  };
  const Graph graph = assigned(f, {zeros({2, 16, 4, 4}), channels_last(image())});
  ASSERT_EQ(names_in(graph), "copy avg_pool2d_backward relu_backward conv2d_backward_data");
  EXPECT_EQ(graph.value(graph.nodes()[0].outputs[0]).type.shape(), Shape({2, 16, 4, 4}));
}

TEST(AssignLayouts, PoolsChannelsLastAndPutsOutRowMajor) {
  const auto f = [](const Tensor& x) { return flatten(max_pool2d(x, 2), 1); };
  EXPECT_EQ(names_in(assigned(f, {image()})), "copy max_pool2d copy reshape");
}

TEST(AssignLayouts, OnlyImagesOfManyChannelsAreReadChannelsLastByWhatDoesNotAskForIt) {
  const auto f = [](const Tensor& x) {
    const Tensor filters = ones({x.size(1), x.size(1), 3, 3});
    const Tensor y = contiguous(conv2d(x, filters, {}, {.padding = 1})) * full({1, x.size(1), 1, 1}, 2.0);
    return Outputs{convolved(y), convolved(y)};
  };
  EXPECT_EQ(names_in(assigned(f, {image(16)})), "conv2d multiply conv2d conv2d");
  EXPECT_EQ(names_in(assigned(f, {image(15)})), "conv2d copy multiply copy conv2d conv2d");
}

TEST(AssignLayouts, WhereNothingIsGainedNodesKeepTheirLayout) {
  const auto f = [](const Tensor& x) {
    const Tensor y = relu(x);
    return Outputs{convolved(y), convolved(y)};
  };
  EXPECT_EQ(names_in(assigned(f, {image()})), "relu copy conv2d conv2d");
}

TEST(AssignLayouts, NoNodeReadsTwoLayouts) {
  const auto loss = [](const Tensor& x, const Tensor& y) { return mse_loss(convolved(x), y); };
  // A loss is a sum in the order of its first input.
  EXPECT_EQ(names_in(assigned(loss, {image(), image()})), "conv2d mse_loss");
  const auto sum = [](const Tensor& x, const Tensor& y) { return x + convolved(y); };
  EXPECT_EQ(names_in(assigned(sum, {image(), image()})), "conv2d copy add");
}

TEST(AssignLayouts, SumsWithRowMajorInputsAreFused) {
  const auto block = [](const Tensor& x) { return x + convolved(relu(convolved(x))); };
  const Graph graph = assigned(block, {image()});
  EXPECT_EQ(names_in(graph), "copy conv2d relu conv2d add copy");
  EXPECT_EQ(names_in(fuse_epilogues(graph)), "copy fused_conv2d fused_conv2d copy");
}

/// |a - b| / |b|, in Euclidean norms.
double relative_error(const Tensor& a, const Tensor& b) {
  const std::vector<float> left = a.to_vector<float>(), right = b.to_vector<float>();
  double difference = 0, norm = 1e-30;
  for (size_t i = 0; i < left.size(); ++i) {
    difference += std::pow(static_cast<double>(left[i]) - static_cast<double>(right[i]), 2);
    norm += std::pow(static_cast<double>(right[i]), 2);
  }
  return std::sqrt(difference / norm);
}

TEST(AssignLayouts, RandomImageCodeComputesTheSameUnderAnySubsetOfPasses) {
  constexpr uint64_t kFunctions = 400;
  // Winograd's convolutions round to a few 1e-6, and a function has up to ten, one behind the other.
  constexpr double kTolerance = 1e-4;
  manual_seed(5);
  const Tensor input = normal({2, 16, 8, 8}), start = normal({2, 16, 8, 8}), state = empty({2, 16, 8, 8});
  const Tensor weight = 0.1 * normal({16, 16, 3, 3});
  State all;
  all.add("state", state);
  size_t changed = 0;
  for (uint64_t seed = 0; seed < kFunctions; ++seed) {
    const Tensor x = seed % 2 ? channels_last(input) : input;
    copy_(state, start);
    Outputs expected;
    for (const Tensor& result : test::random_image_function(seed, x, weight, state))
      expected.push_back(copy(result));
    expected.push_back(copy(state));
    const Graph graph = capture(
        [&](const Tensor& t) { return test::random_image_function(seed, t, weight, state); }, {x}, all);
    std::vector<std::string_view> some;
    for (size_t i = 0; i < passes().size(); ++i) {
      if (passes()[i].name == "assign_layouts" || (seed >> i & 1u)) some.push_back(passes()[i].name);
    }
    const Graph best = optimise(graph, some);
    verify(best);
    changed += assign_layouts(graph) == graph ? 0 : 1;
    copy_(state, start);
    Runner runner(std::make_shared<const Plan>(best));
    Outputs found = runner.run(Inputs(&x, 1));
    for (size_t i = 0; i < found.size(); ++i) {
      ASSERT_EQ(best.value(best.outputs()[i]).type.strides(), graph.value(graph.outputs()[i]).type.strides())
          << "seed " << seed << '\n'
          << graph << '\n'
          << best;
    }
    found.push_back(state);
    for (size_t i = 0; i < found.size(); ++i) {
      ASSERT_LT(relative_error(found[i], expected[i]), kTolerance) << "seed " << seed << '\n'
                                                                   << graph << '\n'
                                                                   << best;
    }
  }
  EXPECT_GT(changed, kFunctions / 2);  // so the pass has had something to do
}

}  // namespace
}  // namespace espalier::runtime
