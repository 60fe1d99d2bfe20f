#include "ops/update_steps.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include <gtest/gtest.h>

#include "tests/support/op_test.h"

namespace espalier::test {
namespace {

InputSpec number(double low, double high) {
  return {{}, low, high, Dtype::f64};
}

InputSpec absent_unless(bool present, InputSpec spec) {
  spec.absent = !present;
  return spec;
}

struct RmspropCase {
  RmspropRule rule = {};
  bool centred = false;
  double momentum = 0;
};

OpSample rmsprop(std::string label, const Shape& shape, const RmspropCase& c) {
  const RmspropRule rule = c.rule;
  const bool moving = c.momentum != 0;
  return {std::move(label),
          // The mean is so small that its square is below the mean square.
          {{shape},
           {shape},
           {shape, 0.1, 2},
           absent_unless(c.centred, {shape, -0.1, 0.1}),
           absent_unless(moving, {shape}),
           number(0.01, 0.2),
           absent_unless(moving, number(c.momentum, c.momentum))},
          [=](Inputs in) {
            rmsprop_step_(in[0], in[1], in[2], in[3], in[4], in[5], in[6], rule);
            Tensors results = {in[0], in[2]};
            if (c.centred) results.push_back(in[3]);
            if (moving) results.push_back(in[4]);
            return results;
          },
          [=](const Arrays& in) {
            Array parameter(shape), square(shape), mean(shape), velocity(shape);
            for (int64_t i = 0; i < count(shape); ++i) {
              const double g = in[1][i] + rule.weight_decay * in[0][i];
              square[i] = rule.alpha * in[2][i] + (1 - rule.alpha) * g * g;
              if (c.centred) mean[i] = rule.alpha * in[3][i] + (1 - rule.alpha) * g;
              const double variance = std::max(square[i] - mean[i] * mean[i], 0.0);
              velocity[i] = g / (std::sqrt(variance) + rule.epsilon) + (moving ? c.momentum * in[4][i] : 0);
              parameter[i] = in[0][i] - in[5][0] * velocity[i];
            }
            Arrays results = {parameter, square};
            if (c.centred) results.push_back(mean);
            if (moving) results.push_back(velocity);
            return results;
          }};
}

OpSample adagrad(std::string label, const Shape& shape, const AdagradRule& rule) {
  return {std::move(label),
          {{shape}, {shape}, {shape, 0.1, 2}, number(0.01, 0.2), {{}, 0, 20, Dtype::i64}},
          [=](Inputs in) {
            adagrad_step_(in[0], in[1], in[2], in[3], in[4], rule);
            return Tensors{in[0], in[2], in[4]};
          },
          [=](const Arrays& in) {
            Array parameter(shape), sum(shape), step;
            step[0] = in[4][0] + 1;
            const double rate = in[3][0] / (1 + in[4][0] * rule.rate_decay);
            for (int64_t i = 0; i < count(shape); ++i) {
              const double g = in[1][i] + rule.weight_decay * in[0][i];
              sum[i] = in[2][i] + g * g;
              parameter[i] = in[0][i] - rate * g / (std::sqrt(sum[i]) + rule.epsilon);
            }
            return Arrays{parameter, sum, step};
          }};
}

OpSample adadelta(std::string label, const Shape& shape, const AdadeltaRule& rule) {
  return {std::move(label),
          {{shape}, {shape}, {shape, 0.1, 2}, {shape, 0.1, 2}, number(0.01, 1)},
          [=](Inputs in) {
            adadelta_step_(in[0], in[1], in[2], in[3], in[4], rule);
            return Tensors{in[0], in[2], in[3]};
          },
          [=](const Arrays& in) {
            Array parameter(shape), square(shape), changes(shape);
            for (int64_t i = 0; i < count(shape); ++i) {
              const double g = in[1][i] + rule.weight_decay * in[0][i];
              square[i] = rule.rho * in[2][i] + (1 - rule.rho) * g * g;
              const double change =
                  std::sqrt(in[3][i] + rule.epsilon) / std::sqrt(square[i] + rule.epsilon) * g;
              changes[i] = rule.rho * in[3][i] + (1 - rule.rho) * change * change;
              parameter[i] = in[0][i] - in[4][0] * change;
            }
            return Arrays{parameter, square, changes};
          }};
}

/// The mean is far from 0, so that rounding does not turn the direction's sign.
OpSample lion(std::string label, const Shape& shape, double low, const LionRule& rule) {
  return {std::move(label),
          {{shape}, {shape, -0.5, 0.5}, {shape, low, low + 1}, number(0.01, 0.2), number(0.9, 0.9)},
          [=](Inputs in) {
            lion_step_(in[0], in[1], in[2], in[3], in[4], rule);
            return Tensors{in[0], in[2]};
          },
          [=](const Arrays& in) {
            Array parameter(shape), mean(shape);
            const double rate = in[3][0], beta1 = in[4][0];
            for (int64_t i = 0; i < count(shape); ++i) {
              const double c = beta1 * in[2][i] + (1 - beta1) * in[1][i];
              const double sign = (c > 0) - (c < 0);
              parameter[i] = in[0][i] - rate * (sign + rule.weight_decay * in[0][i]);
              mean[i] = rule.beta2 * in[2][i] + (1 - rule.beta2) * in[1][i];
            }
            return Arrays{parameter, mean};
          }};
}

OpSample update_steps_average(std::string label, const Shape& shape, Dtype rate = Dtype::f64) {
  return {std::move(label),
          {{shape}, {shape}, {{}, 0.01, 1, rate}},
          [](Inputs in) {
            average_step_(in[0], in[1], in[2]);
            return Tensors{in[0]};
          },
          [=](const Arrays& in) {
            Array result(shape);
            for (int64_t i = 0; i < count(shape); ++i)
              result[i] = in[0][i] + in[2][0] * (in[1][i] - in[0][i]);
            return Arrays{result};
          }};
}

Tensor a_rate() {
  return full({}, 0.1, Dtype::f64);
}
Tensor no_steps() {
  return zeros({}, Dtype::i64);
}

OpTest update_test(std::string name, std::vector<OpSample> samples, std::vector<OpError> errors,
                   std::vector<OpSample> benchmarks) {
  return {
      .name = std::move(name),
      .samples = std::move(samples),
      .errors = std::move(errors),
      // The change is a quotient of five roundings and may be a few times the parameter.
      .tolerance = 8,
      .differentiable = false,
      .twice_differentiable = false,
      .benchmarks = std::move(benchmarks),
  };
}

/// An update of ones at once: parameter, gradient and state have `values` elements each.
template <class Step>
std::vector<float> once(float parameter, float gradient, Step&& step) {
  const Tensor w = full({1}, parameter);
  step(w, full({1}, gradient));
  return w.to_vector<float>();
}

TEST(RmspropStep, AVarianceThatRoundingMadeNegativeCountsAsZero) {
  // 0.1 * 0.1 in f32 is above 0.01f: square - mean * mean is -5e-10 where both stay as they are.
  const Tensor square = full({1}, 0.01F), mean = full({1}, 0.1F);
  const auto result = once(1, 0.1F, [&](const Tensor& w, const Tensor& g) {
    rmsprop_step_(w, g, square, mean, {}, a_rate(), {}, {.alpha = 1, .epsilon = 1});
  });
  EXPECT_FLOAT_EQ(result[0], 0.99F);
}

TEST(LionStep, TheSignOfZeroIsZeroAndThatOfNanIsNan) {
  const auto step = [](const Tensor& w, const Tensor& g) {
    lion_step_(w, g, zeros({1}), a_rate(), full({}, 0.9, Dtype::f64), {});
  };
  EXPECT_EQ(once(2, 0, step)[0], 2);
  EXPECT_EQ(once(2, -0.0F, step)[0], 2);
  EXPECT_TRUE(std::isnan(once(2, std::numeric_limits<float>::quiet_NaN(), step)[0]));
  EXPECT_FLOAT_EQ(once(2, std::numeric_limits<float>::infinity(), step)[0], 1.9F);
  EXPECT_FLOAT_EQ(once(2, -1e-30F, step)[0], 2.1F);
}

}  // namespace

OpTest rmsprop_step_test() {
  return update_test(
      "rmsprop_step",
      {
          rmsprop("plain", {3, 5}, {}),
          rmsprop("decay", {300}, {{.alpha = 0.9, .epsilon = 0.1, .weight_decay = 0.1}}),
          rmsprop("centred", {4, 3}, {.centred = true}),
          rmsprop("momentum", {4, 3}, {.momentum = 0.9}),
          rmsprop("centred with momentum", {2, 3, 40}, {{.alpha = 0.5, .weight_decay = 0.2}, true, 0.8}),
          rmsprop("scalar", {}, {.centred = true, .momentum = 0.9}),
          rmsprop("empty", {0, 2}, {.centred = true, .momentum = 0.9}),
      },
      {
          {"shapes that differ",
           [] { rmsprop_step_(zeros({2}), zeros({2}), zeros({3}), {}, {}, a_rate(), {}, {}); },
           "ShapeError",
           {"rmsprop_step", "f32[2]", "f32[3]"}},
          {"types that differ",
           [] {
             rmsprop_step_(zeros({2}), zeros({2}), zeros({2}), zeros({2}, Dtype::f64), {}, a_rate(), {}, {});
           },
           "TypeError",
           {"rmsprop_step", "f64[2]"}},
          {"velocity without momentum",
           [] { rmsprop_step_(zeros({2}), zeros({2}), zeros({2}), {}, zeros({2}), a_rate(), {}, {}); },
           "ValueError",
           {"rmsprop_step", "velocity is f32[2]", "momentum undefined"}},
          {"momentum without velocity",
           [] { rmsprop_step_(zeros({2}), zeros({2}), zeros({2}), {}, {}, a_rate(), a_rate(), {}); },
           "ValueError",
           {"rmsprop_step", "velocity is undefined", "f64[]"}},
          {"an integer rate",
           [] { rmsprop_step_(zeros({2}), zeros({2}), zeros({2}), {}, {}, no_steps(), {}, {}); },
           "TypeError",
           {"rmsprop_step", "learning rate", "i64[]"}},
      },
      {rmsprop("4096", {64, 64}, {}), rmsprop("1M", {1024, 1024}, {}),
       rmsprop("1M centred with momentum", {1024, 1024}, {.centred = true, .momentum = 0.9})});
}

OpTest adagrad_step_test() {
  return update_test(
      "adagrad_step",
      {
          adagrad("plain", {3, 5}, {}),
          adagrad("decays", {300}, {.rate_decay = 0.1, .epsilon = 0.1, .weight_decay = 0.1}),
          adagrad("scalar", {}, {}),
          adagrad("empty", {0, 2}, {}),
      },
      {
          {"shapes that differ",
           [] { adagrad_step_(zeros({2}), zeros({2}), zeros({3}), a_rate(), no_steps(), {}); },
           "ShapeError",
           {"adagrad_step", "f32[2]", "f32[3]"}},
          {"a floating step",
           [] { adagrad_step_(zeros({2}), zeros({2}), zeros({2}), a_rate(), a_rate(), {}); },
           "TypeError",
           {"adagrad_step", "step is f64[]", "i64"}},
          {"a negative step",
           [] { adagrad_step_(zeros({2}), zeros({2}), zeros({2}), a_rate(), full({}, -1, Dtype::i64), {}); },
           "ValueError",
           {"adagrad_step", "step is -1", "counts from 0"}},
      },
      {adagrad("4096", {64, 64}, {}), adagrad("1M", {1024, 1024}, {})});
}

OpTest adadelta_step_test() {
  return update_test(
      "adadelta_step",
      {
          adadelta("plain", {3, 5}, {}),
          adadelta("decay", {300}, {.rho = 0.5, .epsilon = 0.1, .weight_decay = 0.1}),
          adadelta("scalar", {}, {}),
          adadelta("empty", {0, 2}, {}),
      },
      {
          {"shapes that differ",
           [] { adadelta_step_(zeros({2}), zeros({2}), zeros({2}), zeros({3}), a_rate(), {}); },
           "ShapeError",
           {"adadelta_step", "f32[2]", "f32[3]"}},
          {"a rate with axes",
           [] { adadelta_step_(zeros({2}), zeros({2}), zeros({2}), zeros({2}), zeros({1}), {}); },
           "ShapeError",
           {"adadelta_step", "learning rate", "f32[1]"}},
      },
      {adadelta("4096", {64, 64}, {}), adadelta("1M", {1024, 1024}, {})});
}

OpTest lion_step_test() {
  return update_test("lion_step",
                     {
                         lion("upwards", {3, 5}, 0.2, {}),
                         lion("downwards", {300}, -1.2, {.beta2 = 0.5, .weight_decay = 0.1}),
                         lion("scalar", {}, 0.2, {}),
                         lion("empty", {0, 2}, 0.2, {}),
                     },
                     {
                         {"shapes that differ",
                          [] { lion_step_(zeros({2}), zeros({3}), zeros({2}), a_rate(), a_rate(), {}); },
                          "ShapeError",
                          {"lion_step", "f32[2]", "f32[3]"}},
                         {"an integer beta1",
                          [] { lion_step_(zeros({2}), zeros({2}), zeros({2}), a_rate(), no_steps(), {}); },
                          "TypeError",
                          {"lion_step", "beta1 is i64[]"}},
                     },
                     {lion("4096", {64, 64}, 0.2, {}), lion("1M", {1024, 1024}, 0.2, {})});
}

OpTest average_step_test() {
  return update_test("average_step",
                     {
                         update_steps_average("plain", {3, 5}),
                         update_steps_average("f32 rate", {300}, Dtype::f32),
                         update_steps_average("scalar", {}),
                         update_steps_average("empty", {0, 2}),
                     },
                     {
                         {"shapes that differ",
                          [] { average_step_(zeros({2}), zeros({3}), a_rate()); },
                          "ShapeError",
                          {"average_step", "f32[2]", "f32[3]"}},
                         {"types that differ",
                          [] { average_step_(zeros({2}), zeros({2}, Dtype::f64), a_rate()); },
                          "TypeError",
                          {"average_step", "f64[2]"}},
                     },
                     {update_steps_average("4096", {64, 64}), update_steps_average("1M", {1024, 1024})});
}

}  // namespace espalier::test
