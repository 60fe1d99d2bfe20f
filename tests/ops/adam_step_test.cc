#include "ops/adam_step.h"

#include <algorithm>
#include <cmath>

#include "tests/support/op_test.h"

namespace espalier::test {
namespace {

struct AdamCase {
  AdamRule rule = {};
  double beta1 = 0.9;
  bool largest = false;
};

OpSample adam_step_sample(std::string label, const Shape& shape, const AdamCase& c) {
  const AdamRule rule = c.rule;
  return {std::move(label),
          {{shape},
           {shape},
           {shape},
           {shape, 0.01, 2},
           {.shape = shape, .low = 0.01, .high = 2, .absent = !c.largest},
           {{}, 0.01, 0.2, Dtype::f64},
           {{}, c.beta1, c.beta1, Dtype::f64},
           {{}, 0, 20, Dtype::i64}},
          [=](Inputs in) {
            adam_step_(in[0], in[1], in[2], in[3], in[4], in[5], in[6], in[7], rule);
            if (c.largest) return Tensors{in[0], in[2], in[3], in[4], in[7]};
            return Tensors{in[0], in[2], in[3], in[7]};
          },
          [=](const Arrays& in) {
            Array parameter(shape), mean(shape), square(shape), largest(shape);
            const double rate = in[5][0], beta1 = in[6][0], t = in[7][0] + 1;
            for (int64_t i = 0; i < count(shape); ++i) {
              double w = in[0][i], g = in[1][i];
              if (rule.decoupled)
                w *= 1 - rate * rule.weight_decay;
              else
                g += rule.weight_decay * w;
              mean[i] = beta1 * in[2][i] + (1 - beta1) * g;
              square[i] = rule.beta2 * in[3][i] + (1 - rule.beta2) * g * g;
              largest[i] = c.largest ? std::max(in[4][i], square[i]) : square[i];
              const double corrected_mean = mean[i] / (1 - std::pow(beta1, t));
              const double corrected_square = largest[i] / (1 - std::pow(rule.beta2, t));
              parameter[i] = w - rate * corrected_mean / (std::sqrt(corrected_square) + rule.epsilon);
            }
            Array steps;
            steps[0] = t;
            if (c.largest) return Arrays{parameter, mean, square, largest, steps};
            return Arrays{parameter, mean, square, steps};
          }};
}

void take_adam_step(const Tensor& parameter, const Tensor& gradient, const Tensor& state, const Tensor& steps,
                    const Tensor& beta1 = full({}, 0.9, Dtype::f64)) {
  adam_step_(parameter, gradient, state, zeros({2}), {}, full({}, 0.1, Dtype::f64), beta1, steps, {});
}

Tensor no_adam_steps() {
  return zeros({}, Dtype::i64);
}

}  // namespace

OpTest adam_step_test() {
  return {
      .name = "adam_step",
      .samples =
          {
              adam_step_sample("adam", {3, 5}, {}),
              adam_step_sample("large epsilon", {5}, {{.beta2 = 0.9, .epsilon = 0.1}, 0.5}),
              adam_step_sample("decay in the gradient", {4, 3}, {{.weight_decay = 0.1}}),
              adam_step_sample("decay beside it", {2, 3, 2, 2}, {{.weight_decay = 0.1, .decoupled = true}}),
              adam_step_sample("longer than a tile", {300}, {}),
              adam_step_sample("amsgrad", {4, 70}, {.largest = true}),
              adam_step_sample("amsgrad with decay", {3, 5},
                               {{.weight_decay = 0.1, .decoupled = true}, 0.8, true}),
              adam_step_sample("scalar", {}, {}),
              adam_step_sample("empty", {0, 2}, {}),
          },
      .errors =
          {
              {"shapes that differ",
               [] { take_adam_step(zeros({2}), zeros({3}), zeros({2}), no_adam_steps()); },
               "ShapeError",
               {"adam_step", "f32[2]", "f32[3]"}},
              {"types that differ",
               [] { take_adam_step(zeros({2}), zeros({2}), zeros({2}, Dtype::f64), no_adam_steps()); },
               "TypeError",
               {"adam_step", "f64[2]"}},
              {"a floating step",
               [] { take_adam_step(zeros({2}), zeros({2}), zeros({2}), ones({})); },
               "TypeError",
               {"adam_step", "the step is f32[]", "i64"}},
              {"a negative step",
               [] { take_adam_step(zeros({2}), zeros({2}), zeros({2}), full({}, -1, Dtype::i64)); },
               "ValueError",
               {"adam_step", "step is -1", "counts from 0"}},
              {"an integer beta1",
               [] { take_adam_step(zeros({2}), zeros({2}), zeros({2}), no_adam_steps(), no_adam_steps()); },
               "TypeError",
               {"adam_step", "beta1 is i64[]", "f64"}},
              {"no step",
               [] { take_adam_step(zeros({2}), zeros({2}), zeros({2}), {}); },
               "ValueError",
               {"adam_step", "undefined"}},
              {"no state",
               [] { take_adam_step(zeros({2}), zeros({2}), {}, no_adam_steps()); },
               "ValueError",
               {"undefined"}},
          },
      // The change is a quotient of five roundings and may be a few times the parameter.
      .tolerance = 8,
      .differentiable = false,
      .twice_differentiable = false,
      .benchmarks = {adam_step_sample("4096", {64, 64}, {}), adam_step_sample("1M", {1024, 1024}, {})},
  };
}

}  // namespace espalier::test
