#include "optim/lbfgs.h"

#include <cmath>
#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "autograd/autograd.h"
#include "core/error.h"
#include "ops/add.h"
#include "ops/copy.h"
#include "ops/multiply.h"
#include "ops/subtract.h"
#include "ops/sum.h"
#include "tests/support/message_of.h"

namespace espalier::optim {
namespace {

using test::message_of;
using testing::AllOf;
using testing::HasSubstr;

/// Rosenbrock's valley, with the minimum at (1, 1).
struct Valley {
  explicit Valley(double x0 = -1.2, double y0 = 1)
      : x(requires_grad_(from_values<double>({x0}, {1}))),
        y(requires_grad_(from_values<double>({y0}, {1}))) {}

  nn::NamedTensors named() const { return {{"x", x}, {"y", y}}; }
  Lbfgs::Closure closure(Lbfgs& lbfgs) const {
    return [this, &lbfgs] {
      lbfgs.zero_grad();
      const Tensor a = 1 - x, b = y - x * x;
      const Tensor loss = sum(a * a + 100 * (b * b));
      backward(loss);
      return loss;
    };
  }

  Tensor x, y;
};

struct Stage {
  double x, y, loss;
  int64_t iterations, evaluations;
};

/// The stages are what this prints, with the options given:
///
///   torch.set_default_dtype(torch.float64)
///   x, y = (torch.nn.Parameter(torch.tensor([v])) for v in (-1.2, 1.))
///   lbfgs = torch.optim.LBFGS([x, y], max_iter=5, history_size=3, line_search_fn='strong_wolfe')
///   def closure():
///       lbfgs.zero_grad()
///       loss = ((1 - x) ** 2 + 100 * (y - x * x) ** 2).sum()
///       loss.backward()
///       return loss
///   for _ in range(4):
///       loss = lbfgs.step(closure)
///       state = lbfgs.state[x]
///       print(x.item(), y.item(), loss.item(), state['n_iter'], state['func_evals'])
void expect_stages(const std::vector<Stage>& stages, const LbfgsOptions& options, double tolerance,
                   const Valley& valley = Valley()) {
  Lbfgs lbfgs(valley.named(), options);
  for (size_t i = 0; i < stages.size(); ++i) {
    SCOPED_TRACE(i);
    const double loss = lbfgs.step(valley.closure(lbfgs)).item();
    EXPECT_NEAR(valley.x.item(), stages[i].x, tolerance);
    EXPECT_NEAR(valley.y.item(), stages[i].y, tolerance);
    EXPECT_NEAR(loss, stages[i].loss, tolerance * std::max(1.0, stages[i].loss));
    EXPECT_EQ(lbfgs.iterations(), stages[i].iterations);
    EXPECT_EQ(lbfgs.evaluations(), stages[i].evaluations);
  }
}

TEST(Lbfgs, FollowsPyTorchWithALineSearch) {
  // Roundings grow along the bent valley: by 1e3 in some twenty iterations.
  expect_stages({{-1.0276177663827242, 1.0584120782656612, 24.199999999999996, 4, 6},
                 {-0.6801753334182908, 0.43533127873180566, 4.111816451757751, 9, 12},
                 {-0.357461407885078, 0.0967352233340206, 2.8975574980245997, 12, 18},
                 {0.20577480359454975, -0.0014625542990492311, 1.939070958273065, 17, 24}},
                {.max_iterations = 5, .history = 3}, 1e-11);
}

TEST(Lbfgs, FollowsPyTorchToTheMinimum) {
  expect_stages({{0.38062264334648777, 0.12491013187293636, 24.199999999999996, 19, 25},
                 {0.9999814210791366, 0.9999619651810989, 0.4234823024380289, 35, 44},
                 {0.9999814210791366, 0.9999619651810989, 4.221457511263308e-10, 36, 45}},
                {}, 1e-9);
}

TEST(Lbfgs, FollowsPyTorchWhereTrialsAreCloseToAnEndOfTheBracket) {
  // From (2, -3): torch.optim.LBFGS([x, y], lr=100., max_iter=3, max_eval=30, line_search_fn='strong_wolfe')
  expect_stages({{1.400536219436105, 1.9624937702424081, 4901.0, 3, 12}},
                {.learning_rate = 100, .max_iterations = 3, .max_evaluations = 30}, 1e-11, Valley(2, -3));
}

TEST(Lbfgs, FollowsPyTorchWithoutALineSearch) {
  // torch.optim.LBFGS([x, y], lr=0.1, max_iter=4, history_size=2)
  expect_stages({{-1.105565182586264, 1.0398186104433662, 24.199999999999996, 4, 4},
                 {-1.0821443392485124, 1.0511167236860428, 7.762415265197745, 8, 8},
                 {-1.0656305151674963, 1.0582321411006252, 5.773397229877921, 12, 12},
                 {-1.0536959767944358, 1.0617221006259154, 4.864919039684927, 16, 16}},
                {.learning_rate = 0.1, .max_iterations = 4, .history = 2, .line_search = false}, 1e-12);
}

TEST(Lbfgs, GoesOnFromItsStateWithTheSameBits) {
  const LbfgsOptions options{.max_iterations = 3, .history = 2};
  Valley valley;
  Lbfgs lbfgs(valley.named(), options);
  for (int i = 0; i < 2; ++i) lbfgs.step(valley.closure(lbfgs));
  Valley later;
  later.x = requires_grad_(copy(valley.x.detach()));
  later.y = requires_grad_(copy(valley.y.detach()));
  Lbfgs other(later.named(), options);
  other.load_state(lbfgs.state());
  EXPECT_EQ(other.iterations(), lbfgs.iterations());
  for (int i = 0; i < 2; ++i) {
    lbfgs.step(valley.closure(lbfgs));
    other.step(later.closure(other));
  }
  EXPECT_EQ(later.x.item(), valley.x.item());
  EXPECT_EQ(later.y.item(), valley.y.item());
}

TEST(Lbfgs, StateThatDoesNotFitIsRefusedAsAWhole) {
  Valley valley;
  Lbfgs lbfgs(valley.named(), {.max_iterations = 3, .max_evaluations = 20});
  lbfgs.load_state(lbfgs.state());  // of before the first step
  lbfgs.step(valley.closure(lbfgs));
  nn::StateMap state = lbfgs.state();
  state["direction"] = zeros({3}, Dtype::f64);
  state.erase("step_size");
  state["iterations"] = full({}, 9, Dtype::i64);
  EXPECT_THAT(message_of<ValueError>([&] { lbfgs.load_state(state); }),
              AllOf(HasSubstr("direction is f64[3], expected f64[2]"), HasSubstr("step_size is missing")));
  EXPECT_EQ(lbfgs.iterations(), 3);
  state = lbfgs.state();
  state["more"] = zeros({});
  EXPECT_THAT(message_of<ValueError>([&] { lbfgs.load_state(state); }), HasSubstr("names beside"));
  Lbfgs forgetful(valley.named(), {.max_iterations = 3, .history = 1});
  EXPECT_THAT(message_of<ValueError>([&] { forgetful.load_state(lbfgs.state()); }),
              HasSubstr("the history is 1"));
}

TEST(Lbfgs, AParameterWithoutGradientStaysAndAMinimumIsLeftAlone) {
  const Tensor w = requires_grad_(full({2}, 3.0F)), idle = requires_grad_(ones({2}));
  Lbfgs lbfgs(nn::NamedTensors{{"w", w}, {"idle", idle}});
  const auto closure = [&] {
    lbfgs.zero_grad();
    const Tensor loss = sum(w * w);
    backward(loss);
    return loss;
  };
  EXPECT_EQ(lbfgs.step(closure).item(), 18);
  EXPECT_NEAR(w.to_vector<float>()[0], 0, 1e-6);
  EXPECT_EQ(idle.to_vector<float>(), std::vector<float>({1, 1}));
  const int64_t iterations = lbfgs.iterations();
  w.detach().mutable_data<float>()[0] = w.detach().mutable_data<float>()[1] = 0;
  lbfgs.step(closure);
  EXPECT_EQ(lbfgs.iterations(), iterations);
}

TEST(Lbfgs, RefusesWrongOptions) {
  Valley valley;
  const auto made = [&](const LbfgsOptions& options) {
    return [&valley, options] { Lbfgs(valley.named(), options); };
  };
  const double nan = std::numeric_limits<double>::quiet_NaN();
  EXPECT_THAT(message_of<ValueError>(made({.learning_rate = nan})), HasSubstr("learning rate is nan"));
  EXPECT_THAT(message_of<ValueError>(made({.max_iterations = 0})), HasSubstr("max_iterations is 0"));
  EXPECT_THAT(message_of<ValueError>(made({.max_evaluations = -1})), HasSubstr("max_evaluations is -1"));
  EXPECT_THAT(message_of<ValueError>(made({.gradient_tolerance = -1})), HasSubstr("gradient_tolerance"));
  EXPECT_THAT(message_of<ValueError>(made({.change_tolerance = nan})), HasSubstr("change_tolerance"));
  EXPECT_THAT(message_of<ValueError>(made({.history = 0})), HasSubstr("history is 0"));
  EXPECT_THAT(message_of<ValueError>([&] { Lbfgs({{"x", valley.x}, {"w", requires_grad_(ones({1}))}}); }),
              AllOf(HasSubstr("f32[1]"), HasSubstr("expected one type")));
  EXPECT_THAT(message_of<ValueError>([&] { Lbfgs(nn::NamedTensors{}); }), HasSubstr("no parameters"));
}

}  // namespace
}  // namespace espalier::optim
