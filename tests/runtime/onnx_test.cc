// What is refused; what is written, ONNX Runtime judges (tests/counterparts).

#include "runtime/onnx.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"
#include "nn/batch_norm2d.h"
#include "nn/linear.h"
#include "ops/add.h"
#include "ops/cast.h"
#include "ops/copy.h"
#include "ops/max_pool2d.h"
#include "ops/relu.h"
#include "ops/sort.h"
#include "runtime/capture.h"
#include "tests/support/message_of.h"

namespace espalier::runtime {
namespace {

using espalier::test::message_of;
using testing::HasSubstr;

std::string refusal(const Function& f, const Tensor& x, const State& state = {}) {
  return message_of<ValueError>([&] { to_onnx(capture(f, Inputs(&x, 1), state)); });
}

TEST(Onnx, SaysWhichNodeHasNoCounterpart) {
  EXPECT_EQ(
      refusal([](Inputs in) { return std::vector<Tensor>{relu(sort(relu(in[0])).values)}; }, zeros({3})),
      "[onnx] node 1, sort, has no counterpart in ONNX");
}

TEST(Onnx, RefusesWhatIsNoForwardPass) {
  const Tensor total = zeros({3});
  State state;
  state.add("total", total);
  EXPECT_THAT(refusal(
                  [&](Inputs in) {
                    copy_(total, total + in[0]);
                    return std::vector<Tensor>{in[0]};
                  },
                  zeros({3}), state),
              HasSubstr("changes states"));
  nn::BatchNorm2d norm(3);
  const Graph training =
      capture([&](const Tensor& x) { return norm(x); }, {zeros({2, 3, 4, 4})}, State(norm));
  EXPECT_THAT(message_of<ValueError>([&] { to_onnx(training); }), HasSubstr("changes states"));
}

TEST(Onnx, RefusesResultsThatItsOperatorsDoNotHave) {
  EXPECT_THAT(refusal(
                  [](Inputs in) {
                    const Tensors found = apply(MaxPool2d(2), {in[0]});
                    return std::vector<Tensor>{found[0], found[1]};
                  },
                  zeros({1, 1, 4, 4})),
              HasSubstr("max_pool2d puts out more than ONNX's operator"));
}

TEST(Onnx, RefusesNamesThatOutputsHave) {
  State state;
  state.add("output0", ones({3}));
  const Tensor weight = state.at("output0");
  EXPECT_THAT(refusal([&](Inputs in) { return std::vector<Tensor>{in[0] + weight}; }, zeros({3}), state),
              HasSubstr("is called output0"));
}

TEST(Onnx, RefusesTypesThatOnnxLacks) {
  EXPECT_THAT(refusal([](Inputs in) { return std::vector<Tensor>{cast(in[0], Dtype::f8_e4m3)}; }, zeros({3})),
              HasSubstr("has no type f8_e4m3"));
}

TEST(Onnx, TheSameGraphGivesTheSameBytes) {
  nn::Linear layer(3, 4);
  const auto bytes = [&] { return to_onnx(capture(layer, {zeros({2, 3})}, State(layer))); };
  EXPECT_EQ(bytes(), bytes());
  EXPECT_THAT(bytes(), HasSubstr("weight"));
}

}  // namespace
}  // namespace espalier::runtime
