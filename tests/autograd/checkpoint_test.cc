#include "autograd/checkpoint.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "autograd/autograd.h"
#include "autograd/gradient_check.h"
#include "core/backend.h"
#include "ops/add.h"
#include "ops/concat.h"
#include "ops/dropout.h"
#include "ops/matmul.h"
#include "ops/multiply.h"
#include "ops/permute.h"
#include "ops/random.h"
#include "ops/sum.h"
#include "ops/tanh.h"
#include "tests/support/message_of.h"

namespace espalier {
namespace {

using test::message_of;
using testing::ElementsAre;
using testing::HasSubstr;
using List = std::vector<Tensor>;
using Function = std::function<List(const List&)>;

Tensor parameter(std::initializer_list<float> values) {
  return requires_grad_(from_values<float>(values, {static_cast<int64_t>(values.size())}));
}

/// Two layers with dropout from a generator of their own and from the default one.
struct Net {
  Tensor first = requires_grad_(uniform({8, 8}, -1, 1, Dtype::f32, Generator(1)));
  Tensor second = requires_grad_(uniform({8, 8}, -1, 1, Dtype::f32, Generator(2)));
  Generator generator{3};

  Tensor segment(const Tensor& x, const Tensor& weight) const {
    return dropout(tanh(matmul(dropout(x, 0.3, generator), weight)), 0.5);
  }
};

/// Output, gradients and the generators' states after two steps.
std::vector<std::vector<float>> two_steps(bool checkpointed, bool nested) {
  const Net net;
  manual_seed(9);
  const Tensor x = requires_grad_(uniform({4, 8}, -1, 1, Dtype::f32, Generator(4)));
  std::vector<std::vector<float>> seen;
  for (int step = 0; step < 2; ++step) {
    const auto one = [&](const Tensor& in) { return net.segment(in, net.first); };
    const auto two = [&](const Tensor& in) { return net.segment(in, net.second); };
    const auto both = [&](const Tensor& in) { return checkpoint(two, checkpoint(one, in)); };
    const Tensor y = nested ? checkpoint(both, x) : checkpointed ? both(x) : two(one(x));
    backward(sum(y * y));
    for (const Tensor& tensor : {y, x.grad(), net.first.grad(), net.second.grad(), uniform({2}),
                                 uniform({2}, 0, 1, Dtype::f32, net.generator)}) {
      seen.push_back(tensor.to_vector<float>());
    }
  }
  return seen;
}

TEST(Checkpoint, GivesTheSameBitsDropoutIncluded) {
  const auto plain = two_steps(false, false);
  EXPECT_EQ(two_steps(true, false), plain);
  EXPECT_EQ(two_steps(true, true), plain);
}

TEST(Checkpoint, MemoryGrowsByTheSegmentsInputsOnly) {
  const auto peak = [](bool checkpointed) {
    const Tensor x = requires_grad_(full({256, 256}, 0.5));
    const int64_t before = memory_stats().current;
    backend(kCpu).allocator(kCpu).reset_peak();
    const auto segment = [](const Tensor& in) {
      Tensor y = in;
      for (int i = 0; i < 8; ++i) y = tanh(y * 1.5);
      return y;
    };
    Tensor y = x;
    for (int i = 0; i < 8; ++i) y = checkpointed ? checkpoint(segment, y) : segment(y);
    backward(sum(y));
    return (memory_stats().peak - before) / (int64_t{256} * 256 * static_cast<int64_t>(sizeof(float)));
  };
  // 64 results of tanh, against 8 inputs, the 8 of one segment and a few gradients.
  EXPECT_GE(peak(false), 64);
  EXPECT_LE(peak(true), 24);
}

TEST(Checkpoint, GradientsOfEveryOrderAgreeWithDifferences) {
  const auto f = [](const List& in) {
    const Tensor h = in[1] * in[0];
    const auto segment = [h, scale = in[2]](const List& list) {
      const auto inner = [=](const Tensor& t) { return tanh(t * scale) * h; };
      return List{checkpoint(inner, list[0] * list[1]), list[0]};
    };
    return checkpoint(Function(segment), {in[0], h});
  };
  List inputs;
  for (int i = 0; i < 3; ++i)
    inputs.push_back(requires_grad_(uniform({3}, 0.5, 1.5, Dtype::f64, Generator(static_cast<uint64_t>(i)))));
  EXPECT_EQ(check_gradients(f, inputs), "");
  EXPECT_EQ(check_gradients(f, inputs, {.second_order = true}), "");
}

TEST(Checkpoint, ATensorThatComesInTwiceCountsOnce) {
  const Tensor x = parameter({3});
  const auto product = [&](const List& in) { return List{in[0] * in[1] * x}; };
  backward(checkpoint(Function(product), {x, x})[0]);
  EXPECT_THAT(x.grad().to_vector<float>(), ElementsAre(27));
}

TEST(Checkpoint, CapturedResultsGetGradients) {
  const Tensor x = parameter({2});
  const Tensor h = x * x;
  const auto times = [&](const Tensor& in) { return in * h; };
  const Tensor y = checkpoint(times, x);
  EXPECT_THAT(grad(y, List{h}, {.retain_graph = true})[0].to_vector<float>(), ElementsAre(2));
  backward(y);
  EXPECT_THAT(x.grad().to_vector<float>(), ElementsAre(12));
}

TEST(Checkpoint, TakesAnyNumberOfCapturedParameters) {
  List parameters;
  for (int i = 0; i < 70; ++i) parameters.push_back(parameter({static_cast<float>(i)}));
  const auto joined = [&](const Tensor& in) { return sum(concat(parameters, 0)) * in; };
  backward(checkpoint(joined, full({1}, 2.0)));
  for (const Tensor& parameter : parameters) EXPECT_THAT(parameter.grad().to_vector<float>(), ElementsAre(2));
}

TEST(Checkpoint, OutputsMayBeInputsAndCapturedTensors) {
  const Tensor x = parameter({2}), w = parameter({5}), constant = full({1}, 7.0);
  const auto f = [&](const List& in) {
    return List{in[0], w, constant, in[0] * w, from_values<int64_t>({1}, {1})};
  };
  const List y = checkpoint(Function(f), {x});
  EXPECT_FALSE(constant.requires_grad());
  EXPECT_FALSE(y[4].requires_grad());
  backward(y[0] + y[1] * 10.0 + y[2] + y[3]);
  EXPECT_THAT(x.grad().to_vector<float>(), ElementsAre(6));
  EXPECT_THAT(w.grad().to_vector<float>(), ElementsAre(12));
}

TEST(Checkpoint, TheGraphCanBeKept) {
  const Tensor x = parameter({2});
  const Tensor y = checkpoint([](const Tensor& in) { return dropout(in * in, 0.0); }, x);
  backward(y, {}, {.retain_graph = true});
  backward(y);
  EXPECT_THAT(x.grad().to_vector<float>(), ElementsAre(8));
  EXPECT_THROW(backward(y), GradientError);
}

TEST(Checkpoint, IsACallWhereNothingWantsAGradient) {
  int calls = 0;
  const auto f = [&](const Tensor& in) {
    ++calls;
    return in * in;
  };
  EXPECT_FALSE(checkpoint(f, full({1}, 2.0)).requires_grad());
  const NoGrad no_grad;
  EXPECT_FALSE(checkpoint(f, parameter({2})).requires_grad());
  EXPECT_EQ(calls, 2);
}

TEST(Checkpoint, RefusesWhatCannotRunAgain) {
  const Tensor x = parameter({2}), w = parameter({1});
  const auto changes = [](const Tensor& in) {
    uniform_(in);
    return in * 2.0;
  };
  EXPECT_THAT(message_of<GradientError>([&] { checkpoint(changes, x); }),
              testing::AllOf(HasSubstr("input 0, f32[1]"), HasSubstr("uniform_")));
  const auto records = [&](const Tensor& in) {
    const NoGrad no_grad;
    const EnableGrad enable;
    const Tensor inner = w * w;
    return inner * in;
  };
  const auto goes_on = [&](const Tensor& in) { return records(in) * w; };
  EXPECT_THAT(message_of<GradientError>([&] { checkpoint(goes_on, x); }), HasSubstr("EnableGrad"));
  EXPECT_THAT(message_of<ValueError>([&] { checkpoint(std::function<Tensor(const Tensor&)>(), x); }),
              HasSubstr("empty"));
  EXPECT_THAT(message_of<ValueError>([&] { checkpoint([](const Tensor&) { return Tensor(); }, x); }),
              HasSubstr("undefined"));
  EXPECT_THAT(
      message_of<ValueError>([&] { checkpoint(Function([](const List& in) { return in; }), List(33, x)); }),
      HasSubstr("33 inputs"));
}

TEST(Checkpoint, RefusesAnotherResult) {
  const Tensor x = parameter({2, 3});
  bool again = false;
  const auto more = [&](const List& in) {
    List outputs = {in[0] * 2.0};
    if (std::exchange(again, true)) outputs.push_back(in[0]);
    return outputs;
  };
  const Tensor y = checkpoint(Function(more), {x})[0];
  EXPECT_THAT(message_of<GradientError>([&] { backward(sum(y)); }), HasSubstr("gave 2 outputs"));
  again = false;
  const auto other = [&](const Tensor& in) { return std::exchange(again, true) ? sum(in) : in * 2.0; };
  const Tensor z = checkpoint(other, x);
  EXPECT_THAT(message_of<GradientError>([&] { backward(sum(z)); }), HasSubstr("f32[] as output 0"));
}

TEST(Checkpoint, RefusesInputsThatHaveChangedSince) {
  const Tensor x = parameter({2});
  const Tensor y = checkpoint([](const Tensor& in) { return in * in; }, x);
  uniform_(x.detach());
  EXPECT_THAT(message_of<GradientError>([&] { backward(y); }), HasSubstr("changed in place"));
}

}  // namespace
}  // namespace espalier
