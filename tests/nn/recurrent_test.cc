#include "nn/recurrent.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "autograd/autograd.h"
#include "core/error.h"
#include "nn/state.h"
#include "ops/flip.h"
#include "ops/random.h"
#include "ops/slice.h"
#include "ops/sum.h"

namespace espalier::nn {
namespace {

using testing::HasSubstr;

template <class M>
std::string names_of(M& model) {
  std::string text;
  for (const auto& [name, tensor] : named_parameters(model)) text += name + to_string(tensor.shape()) + " ";
  return text;
}

TEST(LSTM, NamesAndShapesAreThoseOfPyTorch) {
  LSTM lstm(3, 2, {.layers = 2, .bidirectional = true});
  EXPECT_EQ(
      names_of(lstm),
      "weight_ih_l0[8, 3] weight_hh_l0[8, 2] bias_ih_l0[8] bias_hh_l0[8] "
      "weight_ih_l0_reverse[8, 3] weight_hh_l0_reverse[8, 2] bias_ih_l0_reverse[8] bias_hh_l0_reverse[8] "
      "weight_ih_l1[8, 4] weight_hh_l1[8, 2] bias_ih_l1[8] bias_hh_l1[8] "
      "weight_ih_l1_reverse[8, 4] weight_hh_l1_reverse[8, 2] bias_ih_l1_reverse[8] bias_hh_l1_reverse[8] ");
  GRU gru(3, 2, {.bias = false});
  EXPECT_EQ(names_of(gru), "weight_ih_l0[6, 3] weight_hh_l0[6, 2] ");
}

TEST(LSTM, ASequenceInTwoPartsIsTheWhole) {
  const NoGrad no_grad;
  const LSTM lstm(3, 5, {.layers = 2});
  const Tensor x = normal({2, 70, 3});  // more steps than a split has parts
  const LstmOutput whole = lstm(x);
  const LstmOutput first = lstm(slice(x, 1, {.stop = 30}));
  const LstmOutput second = lstm(slice(x, 1, {.start = 30}), first.hidden, first.cell);
  EXPECT_EQ(to_string(whole.output.shape()), "[2, 70, 5]");
  EXPECT_EQ(to_string(whole.hidden.shape()), "[2, 2, 5]");
  EXPECT_EQ(slice(whole.output, 1, {.start = 30}).to_vector<float>(), second.output.to_vector<float>());
  EXPECT_EQ(whole.hidden.to_vector<float>(), second.hidden.to_vector<float>());
  EXPECT_EQ(whole.cell.to_vector<float>(), second.cell.to_vector<float>());
}

TEST(GRU, TheWayBackReadsFromTheEnd) {
  const NoGrad no_grad;
  GRU both(3, 4, {.bidirectional = true}), there(3, 4);
  StateMap reverse;
  for (const auto& [name, tensor] : state(both)) {
    if (name.ends_with("_reverse")) reverse[name.substr(0, name.size() - 8)] = tensor;
  }
  load_state(there, reverse);
  const Tensor x = normal({2, 6, 3});
  const GruOutput of_both = both(x), of_flipped = there(flip(x, {1}));
  EXPECT_EQ(slice(of_both.output, 2, {.start = 4}).to_vector<float>(),
            flip(of_flipped.output, {1}).to_vector<float>());
  EXPECT_EQ(slice(of_both.hidden, 0, {.start = 1}).to_vector<float>(), of_flipped.hidden.to_vector<float>());
}

TEST(GRU, DropoutIsBetweenLayersAndInTrainingOnly) {
  const NoGrad no_grad;
  GRU gru(3, 4, {.layers = 2, .dropout = 0.5});
  const Tensor x = normal({2, 6, 3});
  EXPECT_NE(gru(x).output.to_vector<float>(), gru(x).output.to_vector<float>());
  eval(gru);
  EXPECT_EQ(gru(x).output.to_vector<float>(), gru(x).output.to_vector<float>());
}

TEST(LSTM, EveryParameterGetsAGradient) {
  LSTM lstm(3, 4, {.layers = 2, .bidirectional = true});
  backward(sum(lstm(normal({2, 40, 3})).output));
  for (const auto& [name, parameter] : named_parameters(lstm))
    EXPECT_TRUE(parameter.grad().defined()) << name;
}

TEST(LSTM, RefusesWhatDoesNotFit) {
  EXPECT_THROW(LSTM(0, 4), ValueError);
  EXPECT_THROW(LSTM(3, 4, {.layers = 0}), ValueError);
  EXPECT_THROW(GRU(3, 4, {.dropout = 1.5}), ValueError);
  const LSTM lstm(3, 4);
  for (const Shape& shape : {Shape{2, 3}, Shape{2, 5, 4}, Shape{2, 0, 3}}) {
    try {
      lstm(zeros(shape));
      ADD_FAILURE() << to_string(shape);
    } catch (const ShapeError& error) {
      EXPECT_THAT(error.what(),
                  testing::AllOf(HasSubstr("[LSTM]"), HasSubstr(to_string(shape)), HasSubstr("[N, T, 3]")));
    }
  }
  try {
    lstm(zeros({2, 5, 3}), zeros({1, 3, 4}), {});
    ADD_FAILURE();
  } catch (const ShapeError& error) {
    EXPECT_THAT(error.what(), testing::AllOf(HasSubstr("f32[1, 3, 4]"), HasSubstr("[1, 2, 4]")));
  }
}

}  // namespace
}  // namespace espalier::nn
