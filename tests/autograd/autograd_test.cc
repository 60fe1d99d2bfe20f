#include "autograd/autograd.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "autograd/gradient_check.h"
#include "core/error.h"
#include "ops/accumulate.h"
#include "ops/add.h"
#include "ops/copy.h"
#include "ops/multiply.h"
#include "ops/sum.h"
#include "tests/support/message_of.h"

namespace espalier {
namespace {

using test::message_of;
using testing::ElementsAre;
using testing::HasSubstr;

Tensor leaf(std::initializer_list<float> values) {
  return requires_grad_(from_values<float>(values, {static_cast<int64_t>(values.size())}));
}

TEST(Backward, AccumulatesInLeavesUntilCleared) {
  Tensor x = leaf({1, 2, 3});
  backward(sum(x * x));
  EXPECT_THAT(x.grad().to_vector<float>(), ElementsAre(2, 4, 6));
  backward(sum(x * x));
  EXPECT_THAT(x.grad().to_vector<float>(), ElementsAre(4, 8, 12));
  x.set_grad({});
  EXPECT_FALSE(x.grad().defined());
}

TEST(Backward, AValueUsedManyTimesCollectsEveryGradient) {
  const Tensor x = leaf({3});
  const Tensor square = x * x;
  backward(sum(square * square + square + x));
  EXPECT_THAT(x.grad().to_vector<float>(), ElementsAre(4 * 27 + 6 + 1));
}

TEST(Backward, TwoLeavesDoNotShareAGradient) {
  const Tensor a = leaf({1}), b = leaf({2});
  backward(sum(a + b));
  a.grad().mutable_data<float>()[0] = 5;
  EXPECT_EQ(b.grad().item(), 1);
}

TEST(Backward, TakesTheGradientOfItsOutput) {
  const Tensor x = leaf({1, 2});
  backward(x * x, from_values<float>({10, 100}, {2}));
  EXPECT_THAT(x.grad().to_vector<float>(), ElementsAre(20, 400));
  EXPECT_THAT(message_of<ShapeError>([&] { backward(x * x); }), HasSubstr("f32[2]"));
  EXPECT_THAT(message_of<ShapeError>([&] { backward(x * x, zeros({3})); }), HasSubstr("f32[3]"));
  EXPECT_THAT(message_of<TypeError>([&] { backward(x * x, zeros({2}, Dtype::f64)); }), HasSubstr("f64[2]"));
}

TEST(Backward, TwiceNeedsTheGraphToBeKept) {
  const Tensor x = leaf({2});
  const Tensor kept = sum(x * x);
  backward(kept, {}, {.retain_graph = true});
  backward(kept);
  EXPECT_EQ(x.grad().item(), 8);
  EXPECT_THAT(message_of<GradientError>([&] { backward(kept); }),
              testing::AllOf(HasSubstr("walked before"), HasSubstr("retain_graph")));
}

TEST(Backward, NoticesThatASavedValueChanged) {
  const Tensor x = leaf({2});
  const Tensor factor = ones({1});
  const Tensor product = sum(x * factor);
  accumulate_(factor, ones({1}));
  EXPECT_THAT(message_of<GradientError>([&] { backward(product); }),
              testing::AllOf(HasSubstr("[multiply]"), HasSubstr("changed in place since by accumulate")));
}

TEST(Backward, WithoutAPathToALeafIsAnError) {
  EXPECT_THAT(message_of<GradientError>([] { backward(ones({1})); }),
              HasSubstr("was not computed from a leaf"));
  const Tensor x = leaf({1});
  const auto unrecorded = [&] {
    const NoGrad no_grad;
    return x * x;
  };
  EXPECT_THAT(message_of<GradientError>([&] { backward(unrecorded()); }), HasSubstr("NoGrad"));
  EXPECT_THAT(message_of<GradientError>([&] { backward((x * x).detach()); }),
              HasSubstr("was not computed from a leaf"));
}

TEST(Backward, AGraphOfAHundredThousandOperationsNeitherRecursesNorOverflows) {
  const Tensor x = leaf({1});
  {
    Tensor y = x;
    for (int i = 0; i < 100'000; ++i) y = y + x;
    backward(y);
    EXPECT_EQ(x.grad().item(), 100'001);
    for (int i = 0; i < 100'000; ++i) y = y * x;  // saves its inputs; dies without having been walked
  }
  Tensor z = x;
  for (int i = 0; i < 100'000; ++i) z = z * x;
  backward(z, {}, {.retain_graph = true});
}

TEST(InPlace, LeavesAndRecordedValuesAreProtected) {
  const Tensor x = leaf({1});
  EXPECT_THAT(message_of<GradientError>([&] { accumulate_(x, ones({1})); }),
              testing::AllOf(HasSubstr("[accumulate]"), HasSubstr("NoGrad")));
  const NoGrad no_grad;
  accumulate_(x, ones({1}));
  EXPECT_EQ(x.item(), 2);
}

TEST(Grad, LeavesAccumulateNothing) {
  const Tensor x = leaf({3});
  EXPECT_EQ(grad(sum(x * x), x).item(), 6);
  EXPECT_FALSE(x.grad().defined());
}

TEST(Grad, ReachesIntermediateResults) {
  const Tensor x = leaf({3});
  const Tensor y = x * x;
  EXPECT_EQ(grad(sum(y * y), y).item(), 18);
}

TEST(Grad, DifferentiatesGradients) {
  const Tensor x = leaf({2});
  Tensor derivative = sum(x * x * x * x);
  for (const double expected : {32.0, 48.0, 48.0, 24.0}) {
    derivative = grad(derivative, x, {.create_graph = true});
    EXPECT_EQ(derivative.item(), expected);
    derivative = sum(derivative);
  }
}

TEST(Grad, UnusedInputsAreAnErrorUnlessAllowed) {
  const Tensor x = leaf({1}), unused = leaf({1});
  EXPECT_THAT(message_of<GradientError>([&] { grad(sum(x * x), unused); }), HasSubstr("does not reach"));
  EXPECT_FALSE(grad(sum(x * x), unused, {.allow_unused = true}).defined());
  EXPECT_THAT(message_of<GradientError>([&] { grad(sum(x * x), ones({1})); }),
              HasSubstr("does not require a gradient"));
}

TEST(Grad, AnUndefinedTensorIsATypedError) {
  const Tensor x = leaf({1});
  EXPECT_THROW(backward(Tensor()), Error);
  EXPECT_THROW(grad(Tensor(), x), Error);
  EXPECT_THROW(grad(sum(x), Tensor()), Error);
  EXPECT_THROW(requires_grad_(Tensor()), ValueError);
}

TEST(RequiresGrad, OnlyFloatingLeaves) {
  EXPECT_THAT(message_of<TypeError>([] { requires_grad_(zeros({1}, Dtype::i64)); }), HasSubstr("i64[1]"));
  const Tensor x = leaf({1});
  EXPECT_THAT(message_of<GradientError>([&] { requires_grad_(x * x); }), HasSubstr("detach"));
  requires_grad_(x, false);
  EXPECT_FALSE((x * x).requires_grad());
}

TEST(Hooks, SeeAndReplaceGradients) {
  const Tensor x = leaf({1, 1});
  const Tensor y = x * x;
  int seen = 0;
  on_gradient(y, [&](const Tensor& gradient) {
    ++seen;
    return gradient + gradient;
  });
  on_gradient(x, [&](const Tensor&) {
    ++seen;
    return Tensor();
  });
  backward(sum(y));
  EXPECT_EQ(seen, 3) << "once for y, and once for each way in which y uses x";
  EXPECT_THAT(x.grad().to_vector<float>(), ElementsAre(4, 4));
  const Tensor z = x * x;
  on_gradient(z, [](const Tensor&) { return zeros({3}); });
  EXPECT_THAT(message_of<GradientError>([&] { backward(sum(z)); }),
              testing::AllOf(HasSubstr("f32[3]"), HasSubstr("f32[2]")));
}

/// A user's operation: the cube, with a kernel of its own.
class Cube final : public OperationOf<Cube> {
 public:
  static constexpr std::string_view kName = "cube";
  static KernelSlot slot;

  void infer(Inputs inputs, OutputSpecs& outputs) const override {
    if (inputs[0].dtype() != Dtype::f64) throw TypeError(kName, describe(inputs) + " given; expected f64");
    outputs.push_back(OutputSpec::fresh(inputs[0].shape(), inputs[0].dtype()));
  }
  Tensors backward(const BackwardContext& context) const override {
    const Tensor& x = context.input(0);
    return {context.gradient(0) * x * x * 3.0};
  }
};

void cube_cpu(const Cube&, Inputs inputs, Outputs outputs) {
  const double* x = inputs[0].data<double>();
  for (int64_t i = 0; i < inputs[0].numel(); ++i)
    static_cast<double*>(outputs[0].raw_data())[i] = x[i] * x[i] * x[i];
}
constexpr Kernel kCube[] = {kernel<Cube, cube_cpu>("plain")};
constinit KernelSlot Cube::slot{kCube};

TEST(UserOperation, IsDifferentiatedLikeAnyOther) {
  const Tensor x = requires_grad_(from_values<double>({1, -2, 0.5}, {3}));
  const auto f = [](const std::vector<Tensor>& in) { return std::vector<Tensor>{apply_one(Cube(), in[0])}; };
  EXPECT_EQ(check_gradients(f, {x}), "");
  EXPECT_EQ(check_gradients(f, {x}, {.second_order = true}), "");
}

/// One whose backward is wrong.
class Careless final : public OperationOf<Careless> {
 public:
  static constexpr std::string_view kName = "careless";
  static KernelSlot slot;
  void infer(Inputs inputs, OutputSpecs& outputs) const override {
    outputs.push_back(OutputSpec::fresh(inputs[0].shape(), inputs[0].dtype()));
  }
  SavedForBackward saved_for_backward() const override { return {.inputs = 0, .outputs = 0}; }
  Tensors backward(const BackwardContext& context) const override {
    if (reads_) return {context.input(0)};
    return gives_two_ ? Tensors{zeros({1}), zeros({1})} : Tensors{zeros({7})};
  }
  bool reads_ = false;
  bool gives_two_ = false;
};
void careless_cpu(const Careless&, Inputs, Outputs) {}
constexpr Kernel kCareless[] = {kernel<Careless, careless_cpu>("plain")};
constinit KernelSlot Careless::slot{kCareless};

TEST(UserOperation, AWrongBackwardIsNamed) {
  const Tensor x = leaf({1});
  Careless careless;
  EXPECT_THAT(message_of<GradientError>([&] { backward(apply_one(careless, x)); }),
              testing::AllOf(HasSubstr("[careless]"), HasSubstr("f32[7]"), HasSubstr("f32[1]")));
  careless.gives_two_ = true;
  EXPECT_THAT(message_of<GradientError>([&] { backward(apply_one(careless, x)); }),
              HasSubstr("2 gradients for 1 inputs"));
  careless.reads_ = true;
  EXPECT_THAT(message_of<GradientError>([&] { backward(apply_one(careless, x)); }),
              HasSubstr("saved_for_backward()"));
}

TEST(Backward, FromInsideItsOwnWalkIsAnError) {
  const Tensor x = leaf({1});
  const Tensor y = x * x, loss = sum(y);
  on_gradient(y, [&](const Tensor& gradient) {
    backward(loss, {}, {.retain_graph = true});
    return gradient;
  });
  EXPECT_THAT(message_of<GradientError>([&] { backward(loss, {}, {.retain_graph = true}); }),
              HasSubstr("being walked already"));
}

TEST(GradientCheck, FindsAWrongGradient) {
  const Tensor x = requires_grad_(from_values<double>({1}, {1}));
  const auto wrong = [](const std::vector<Tensor>& in) {
    const Tensor y = in[0] * in[0];
    on_gradient(y, [](const Tensor& gradient) { return gradient * 1.001; });
    return std::vector<Tensor>{y};
  };
  EXPECT_THAT(check_gradients(wrong, {x}), HasSubstr("input 0, f64[1], element 0"));
}

TEST(Parameters, AForgottenOneIsFoundWhenItReceivesAGradient) {
  const Tensor known = make_parameter(ones({2}), "Linear"), forgotten = make_parameter(ones({2}), "Linear");
  claim_parameter(known);
  const Tensor claimed[] = {known};
  EXPECT_NO_THROW(check_all_claimed(claimed)) << "no gradient yet";
  backward(sum(known));
  EXPECT_NO_THROW(check_all_claimed(claimed)) << "not part of this model";
  backward(sum(known * forgotten));
  EXPECT_THAT(message_of<GradientError>([&] { check_all_claimed(claimed); }),
              testing::AllOf(HasSubstr("[Linear]"), HasSubstr("visit")));
  claim_parameter(forgotten);
  EXPECT_NO_THROW(check_all_claimed(claimed));
}

}  // namespace
}  // namespace espalier
