#include "runtime/quantize.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "autograd/autograd.h"
#include "data/digits.h"
#include "models/mlp.h"
#include "models/resnet_cifar.h"
#include "ops/abs.h"
#include "ops/add.h"
#include "ops/argmax.h"
#include "ops/at.h"
#include "ops/cast.h"
#include "ops/conv2d.h"
#include "ops/cross_entropy.h"
#include "ops/linear.h"
#include "ops/max.h"
#include "ops/max_pool2d.h"
#include "ops/pad.h"
#include "ops/random.h"
#include "ops/relu.h"
#include "ops/reshape.h"
#include "ops/slice.h"
#include "ops/tanh.h"
#include "optim/adam.h"
#include "runtime/capture.h"
#include "runtime/kernel_choices.h"
#include "runtime/package.h"
#include "runtime/passes.h"
#include "runtime/runner.h"
#include "tests/support/message_of.h"
#include "tests/support/temporary_folder.h"

namespace espalier::runtime {
namespace {

using espalier::test::message_of;
using espalier::test::TemporaryFolder;
using testing::HasSubstr;

using Batches = std::vector<std::vector<Tensor>>;

template <class F>
Graph frozen(const F& f, const Tensor& example) {
  return optimise(freeze(capture(f, {example})));
}

Batches random_batches(const Shape& shape, int count = 4) {
  manual_seed(1);
  Batches batches;
  for (int i = 0; i < count; ++i) batches.push_back({normal(shape)});
  return batches;
}

std::vector<float> answer(const Graph& graph, const Tensor& x) {
  Runner runner(std::make_shared<const Plan>(graph));
  return runner.run(Inputs(&x, 1))[0].to_vector<float>();
}

std::string operations(const Graph& graph) {
  std::string text;
  for (const Node& node : graph.nodes())
    text += (text.empty() ? "" : " ") + std::string(node.operation->name());
  return text;
}

/// The largest distance of an element from `expected`'s, in units of its largest number.
double distance(const std::vector<float>& got, const std::vector<float>& expected) {
  double farthest = 0, largest = 0;
  for (size_t i = 0; i < got.size(); ++i) {
    farthest = std::max<double>(farthest, std::abs(got[i] - expected[i]));
    largest = std::max<double>(largest, std::abs(expected[i]));
  }
  return farthest / largest;
}

TEST(Quantize, ALinearLayerIsOffByWhatItsScalesAllow) {
  const Tensor weight = normal({20, 33}), bias = normal({20});
  const Batches batches = random_batches({5, 33});
  const Graph graph = frozen([&](const Tensor& x) { return linear(x, weight, bias); }, batches[0][0]);
  const Quantizations known = calibrate(graph, batches);
  const Graph quantized = quantize(graph, known);
  EXPECT_EQ(operations(quantized), "quantize int8_linear");
  const Tensor bytes = quantized.value(quantized.nodes()[1].inputs[1]).tensor;
  for (int64_t out = 0; out < 20; ++out)
    EXPECT_EQ(max(abs(cast(at(bytes, out), Dtype::i32))).item(), 127) << "of channel " << out;
  const double step = known.at(graph.inputs()[0]).scale;
  for (const std::vector<Tensor>& batch : batches) {
    const std::vector<float> got = answer(quantized, batch[0]), expected = answer(graph, batch[0]);
    for (size_t i = 0; i < got.size(); ++i) {
      // Each product x w is off by half a step of x times |w|, and by half a step of w times |x| at its most.
      double allowed = 1e-5;
      const auto row = static_cast<int64_t>(i / 20), out = static_cast<int64_t>(i % 20);
      double largest = 0;
      for (int64_t k = 0; k < 33; ++k) largest = std::max(largest, std::abs(at(weight, out, k).item()));
      for (int64_t k = 0; k < 33; ++k)
        allowed += step * 0.51 * std::abs(at(weight, out, k).item()) +
                   largest / 127 * 0.51 * (std::abs(at(batch[0], row, k).item()) + step);
      EXPECT_NEAR(got[i], expected[i], allowed);
    }
  }
}

TEST(Quantize, LayersHandOnBytes) {
  models::Mlp mlp({16, 24, 24, 4});
  const Batches batches = random_batches({3, 16});
  const Graph graph = optimise(freeze(capture(mlp, {batches[0][0]}, State(mlp))));
  const Graph quantized = quantize(graph, calibrate(graph, batches));
  EXPECT_EQ(operations(quantized), "quantize int8_linear int8_linear int8_linear");
  EXPECT_EQ(quantized.value(quantized.nodes()[1].outputs[0]).type.dtype(), Dtype::u8);
  EXPECT_EQ(quantized.value(quantized.outputs()[0]).type.dtype(), Dtype::f32);
  // Three roundings to 255 steps, after sums of 24.
  EXPECT_LT(distance(answer(quantized, batches[0][0]), answer(graph, batches[0][0])), 0.05);
}

TEST(Quantize, AResidualNetworkStaysInBytesBetweenItsConvolutions) {
  models::ResNetCifar net(1);
  nn::eval(net);
  const Batches batches = random_batches({2, 3, 16, 16});
  const Graph graph = optimise(freeze(capture(net, {batches[0][0]}, State(net))));
  const Graph quantized = quantize(graph, calibrate(graph, batches));
  EXPECT_EQ(operations(quantized),
            "quantize int8_conv2d int8_conv2d int8_conv2d int8_conv2d slice pad int8_conv2d int8_conv2d "
            "slice pad int8_conv2d int8_global_avg_pool2d quantize int8_linear");
  for (const std::vector<Tensor>& batch : batches)
    EXPECT_LT(distance(answer(quantized, batch[0]), answer(graph, batch[0])), 0.05);
  const Graph improved = optimise(quantized);
  EXPECT_EQ(answer(improved, batches[0][0]), answer(quantized, batches[0][0]));
}

TEST(Quantize, PaddingMeansZeroWhateverTheZeroPoint) {
  const Tensor weight = normal({8, 4, 3, 3}), second = normal({5, 10, 1, 1});
  const Batches batches = random_batches({1, 4, 6, 6});
  const Graph graph = frozen(
      [&](const Tensor& x) {
        // No ReLU: the zero point is in the middle of the range.
        const Tensor y = conv2d(x, weight, {}, {.padding = 1});
        return conv2d(pad(y, {0, 1, 0, 2}, {0, 1, 3, 0}), second);
      },
      batches[0][0]);
  const Graph quantized = quantize(graph, calibrate(graph, batches));
  EXPECT_EQ(operations(quantized), "quantize int8_conv2d pad int8_conv2d");
  const std::vector<float> got = answer(quantized, batches[0][0]);
  // The corner is nothing but padding: 0 exactly.
  EXPECT_EQ(got[1], 0);
  EXPECT_LT(distance(got, answer(graph, batches[0][0])), 0.05);
}

TEST(Quantize, PoolingByMaximaReadsBytes) {
  const Tensor weight = normal({8, 3, 3, 3}), second = normal({5, 72}), third = normal({5, 32});
  const Batches batches = random_batches({2, 3, 8, 8});
  const auto net = [&](const Tensor& x, const Tensor& last, const MaxPool2dOptions& pooling) {
    return linear(flatten(max_pool2d(conv2d(x, weight), 2, pooling), 1), last);
  };
  const Graph graph = frozen([&](const Tensor& x) { return net(x, second, {}); }, batches[0][0]);
  const Graph quantized = quantize(graph, calibrate(graph, batches));
  EXPECT_EQ(operations(quantized), "quantize int8_conv2d int8_max_pool2d copy reshape int8_linear");
  EXPECT_LT(distance(answer(quantized, batches[0][0]), answer(graph, batches[0][0])), 0.05);
  // With a dilation and padding a window may have no pixels: -inf, which no byte stands for.
  const Graph odd =
      frozen([&](const Tensor& x) { return net(x, third, {.stride = 3, .padding = 1, .dilation = 4}); },
             batches[0][0]);
  EXPECT_THAT(operations(quantize(odd, calibrate(odd, batches))), HasSubstr("int8_conv2d max_pool2d"));
}

TEST(Quantize, OtherReadersGetNumbers) {
  const Tensor first = normal({6, 5}), second = normal({4, 6});
  const Batches batches = random_batches({2, 5});
  const Graph graph = frozen(
      [&](const Tensor& x) {
        const Tensor hidden = relu(linear(x, first));
        return std::vector<Tensor>{linear(hidden, second), tanh(hidden), reshape(hidden, {12})};
      },
      batches[0][0]);
  const Graph quantized = quantize(graph, calibrate(graph, batches));
  EXPECT_EQ(operations(quantized), "quantize int8_linear int8_linear dequantize tanh reshape");
  verify(quantized);
}

TEST(Quantize, LayersWithoutAQuantisationOfTheirInputStay) {
  models::Mlp mlp({16, 24, 24, 4});
  const Batches batches = random_batches({3, 16});
  const Graph graph = optimise(freeze(capture(mlp, {batches[0][0]}, State(mlp))));
  Quantizations known = calibrate(graph, batches);
  known.erase(graph.nodes()[1].inputs[0]);
  EXPECT_EQ(operations(quantize(graph, known)), "quantize int8_linear fused_linear quantize int8_linear");
}

TEST(Quantize, ConvolutionsWithGroupsStay) {
  const Tensor weight = normal({6, 2, 3, 3}), second = normal({5, 6, 1, 1});
  const Batches batches = random_batches({1, 4, 6, 6});
  const Graph graph = frozen(
      [&](const Tensor& x) { return conv2d(conv2d(x, weight, {}, {.groups = 2}), second); }, batches[0][0]);
  EXPECT_EQ(operations(quantize(graph, calibrate(graph, batches))), "conv2d quantize int8_conv2d");
}

/// These times, but for the kernels of problems whose text has one of the parts.
KernelChoices with_seconds(const KernelChoices& from,
                           const std::vector<std::pair<std::string, double>>& seconds_of) {
  KernelChoices made;
  for (const auto& [problem, timings] : from.problems()) {
    KernelChoices::Timings edited = timings;
    for (const auto& [part, seconds] : seconds_of) {
      if (problem.find(part) == std::string::npos) continue;
      for (KernelTiming& timing : edited) timing.seconds = seconds;
    }
    made.add(problem, edited);
  }
  return made;
}

TEST(Quantize, LayersThatAreSlowerIn8BitsStay) {
  models::Mlp mlp({16, 24, 24, 4});
  const Batches batches = random_batches({3, 16});
  const Graph graph = optimise(freeze(capture(mlp, {batches[0][0]}, State(mlp))));
  const Quantizations known = calibrate(graph, batches);
  KernelChoices timed;
  slower_in_8_bits(graph, known, timed);
  // Seconds, beside which the microseconds of what is timed here count for nothing.
  const std::pair<std::string, double> layers{"linear(", 1}, bytes{"int8_linear(", 0.1};
  KernelChoices middle = with_seconds(timed, {layers, bytes, {"i8[24, 24]", 10}});
  const std::vector<ValueId> in_f32 = slower_in_8_bits(graph, known, middle);
  EXPECT_EQ(in_f32, std::vector<ValueId>{graph.nodes()[1].outputs[0]});
  const Graph quantized = quantize(graph, known, in_f32);
  EXPECT_EQ(operations(quantized), "quantize int8_linear fused_linear quantize int8_linear");
  EXPECT_LT(distance(answer(quantized, batches[0][0]), answer(graph, batches[0][0])), 0.05);
  const size_t problems = middle.problems().size();
  EXPECT_EQ(slower_in_8_bits(graph, known, middle), in_f32);
  EXPECT_EQ(middle.problems().size(), problems);  // nothing is timed twice

  KernelChoices fast = with_seconds(timed, {layers, bytes}),
                slow = with_seconds(timed, {{"int8_linear(", 10}});
  EXPECT_THAT(slower_in_8_bits(graph, known, fast), testing::IsEmpty());
  const std::vector<ValueId> all = slower_in_8_bits(graph, known, slow);
  EXPECT_EQ(all.size(), 3U);
  EXPECT_TRUE(quantize(graph, known, all) == graph);
}

TEST(Quantize, ConversionsCountAgainstALayer) {
  models::Mlp mlp({16, 24, 24, 4});
  const Batches batches = random_batches({3, 16});
  const Graph graph = optimise(freeze(capture(mlp, {batches[0][0]}, State(mlp))));
  const Quantizations known = calibrate(graph, batches);
  KernelChoices timed;
  slower_in_8_bits(graph, known, timed);
  // The first layer gains 0.9 seconds, and its input takes 5 to become bytes.
  KernelChoices choices =
      with_seconds(timed, {{"linear(", 1}, {"int8_linear(", 0.1}, {"dtype=u8) f32[3, 16]", 5}});
  EXPECT_EQ(slower_in_8_bits(graph, known, choices), std::vector<ValueId>{graph.nodes()[0].outputs[0]});
}

TEST(Quantize, AllLayersStayWhereTheGraphIsNoFaster) {
  models::Mlp mlp({16, 24, 4});
  const Batches batches = random_batches({3, 16});
  const Graph graph = optimise(freeze(capture(mlp, {batches[0][0]}, State(mlp))));
  const Quantizations known = calibrate(graph, batches);
  KernelChoices first;
  slower_in_8_bits(graph, known, first);
  // Where 8 bits are free, each layer is looked at alone, whatever was found faster at first.
  KernelChoices timed = with_seconds(first, {{"linear(", 1}, {"int8_linear(", 0}});
  slower_in_8_bits(graph, known, timed);
  // 2.5 seconds for 2, and either layer alone costs more than it saves: the second one by what it then reads.
  KernelChoices choices = with_seconds(
      timed, {{"linear(", 1}, {"i8[24, 16]", 2}, {"i8[4, 24]", 0.5}, {"dtype=u8) f32[3, 24]", 5}});
  EXPECT_EQ(slower_in_8_bits(graph, known, choices).size(), 2U);
}

TEST(Quantize, AChannelOfZerosStaysZero) {
  Tensor weight = normal({3, 4});
  std::fill_n(weight.mutable_data<float>() + 4, 4, 0.0f);
  const Batches batches = random_batches({2, 4});
  const Graph graph = frozen([&](const Tensor& x) { return linear(x, weight); }, batches[0][0]);
  const std::vector<float> got = answer(quantize(graph, calibrate(graph, batches)), batches[0][0]);
  EXPECT_EQ(got[1], 0);
  EXPECT_EQ(got[4], 0);
}

TEST(Quantize, PackagesHoldQuantisedGraphs) {
  models::ResNetCifar net(1);
  nn::eval(net);
  const Batches batches = random_batches({1, 3, 16, 16});
  const Graph graph = optimise(freeze(capture(net, {batches[0][0]}, State(net))));
  const Graph quantized = quantize(graph, calibrate(graph, batches));
  const TemporaryFolder folder;
  save_package(folder / "f32.safetensors", graph);
  save_package(folder / "int8.safetensors", quantized);
  const Graph loaded = load_package(folder / "int8.safetensors").graph();
  EXPECT_TRUE(loaded == quantized);
  EXPECT_EQ(answer(loaded, batches[0][0]), answer(quantized, batches[0][0]));
  // 70,000 weights take a byte each instead of four.
  EXPECT_LT(std::filesystem::file_size(folder / "int8.safetensors") * 3,
            std::filesystem::file_size(folder / "f32.safetensors"));
}

/// How many of the digits a graph tells right.
int64_t right_answers(const Graph& graph, const data::Examples& digits) {
  Runner runner(std::make_shared<const Plan>(graph));
  const std::vector<int64_t> found = argmax(runner.run(Inputs(&digits.inputs, 1))[0], 1).to_vector<int64_t>();
  const std::vector<int64_t> labels = digits.labels.to_vector<int64_t>();
  int64_t right = 0;
  for (size_t i = 0; i < labels.size(); ++i) right += found[i] == labels[i];
  return right;
}

TEST(Quantize, ATrainedNetworkTellsDigitsAsWell) {
  manual_seed(1);
  const auto digits = data::digits();
  models::ResNetCifar net(1, 10, 1);
  optim::Adam adam(net, optim::AdamOptions{.learning_rate = 2e-3});
  for (int64_t step = 0; step < 120; ++step) {
    const int64_t first = step * 32 % (digits.train.inputs.size(0) - 32);
    const Tensor loss = cross_entropy(net(slice(digits.train.inputs, 0, {first, first + 32})),
                                      slice(digits.train.labels, 0, {first, first + 32}));
    adam.zero_grad();
    backward(loss);
    adam.step();
  }
  nn::eval(net);
  const auto graph_for = [&](const Tensor& x) { return optimise(freeze(capture(net, {x}, State(net)))); };
  const Tensor some = slice(digits.train.inputs, 0, {0, 256});
  const Quantizations known = calibrate(graph_for(some), Batches{{some}});
  const Graph graph = graph_for(digits.test.inputs), quantized = quantize(graph, known);
  const int64_t right = right_answers(graph, digits.test), all = digits.test.inputs.size(0);
  EXPECT_GT(right, all * 8 / 10);
  EXPECT_NEAR(static_cast<double>(right_answers(quantized, digits.test)), static_cast<double>(right),
              0.01 * static_cast<double>(all));
}

TEST(Calibration, SaysWhatIsWrongWithItsData) {
  const Tensor weight = normal({3, 4});
  const Graph graph = frozen([&](const Tensor& x) { return linear(x, weight); }, zeros({2, 4}));
  const Batches good = random_batches({2, 4});
  EXPECT_THAT(message_of<ValueError>([&] { calibrate(graph, Batches()); }), HasSubstr("no batches"));
  for (const float wrong : {std::nanf(""), std::numeric_limits<float>::infinity()}) {
    Batches batches = good;
    batches[2][0].mutable_data<float>()[5] = wrong;
    EXPECT_THAT(message_of<ValueError>([&] { calibrate(graph, batches); }),
                AllOf(HasSubstr("input0"), HasSubstr("batch 2")));
    batches[2][0].mutable_data<float>()[5] = 0;
  }
  const Graph empty = frozen([&](const Tensor& x) { return tanh(linear(x, weight)); }, zeros({0, 4}));
  EXPECT_THROW(calibrate(empty, Batches{{zeros({0, 4})}}), ValueError);
  const Graph nothing = frozen([](const Tensor& x) { return tanh(x); }, zeros({2}));
  EXPECT_THAT(message_of<ValueError>([&] { calibrate(nothing, Batches{{zeros({2})}}); }),
              HasSubstr("no convolution or linear layer"));
  EXPECT_THROW(calibrate(graph, Batches{{zeros({3, 4})}}), ShapeError);
}

TEST(Quantize, RefusesWhatItCannotUse) {
  Tensor weight = normal({3, 4});
  const Graph graph = frozen([&](const Tensor& x) { return linear(x, weight); }, zeros({2, 4}));
  const ValueId x = graph.inputs()[0];
  EXPECT_THAT(message_of<ValueError>([&] { quantize(graph, {}); }), HasSubstr("nothing is quantised"));
  EXPECT_THROW(quantize(graph, {{77, {1, 0}}}), ValueError);
  EXPECT_THAT(message_of<ValueError>([&] { quantize(graph, {{x, {-1, 0}}}); }), HasSubstr("scale is -1"));
  EXPECT_THAT(message_of<ValueError>([&] { quantize(graph, {{x, {1, 256}}}); }), HasSubstr("256"));
  Graph shared = graph;  // the constant is shared, so this reaches it
  Tensor elements = shared.value(shared.nodes()[0].inputs[1]).tensor;
  elements.mutable_data<float>()[2] = std::numeric_limits<float>::infinity();
  EXPECT_THAT(message_of<ValueError>([&] { quantize(shared, {{x, {1, 0}}}); }), HasSubstr("not finite"));
}

}  // namespace
}  // namespace espalier::runtime
