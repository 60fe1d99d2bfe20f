#include "ops/sgd_step.h"

#include "tests/support/op_test.h"

namespace espalier::test {
namespace {

OpSample sgd_step_sample(std::string label, const Shape& shape, double momentum, const SgdRule& rule,
                         Dtype rate = Dtype::f64) {
  const bool moving = momentum != 0;
  return {std::move(label),
          {{shape},
           {shape},
           {.shape = shape, .absent = !moving},
           {{}, 0.01, 0.2, rate},
           {.shape = {}, .low = momentum, .high = momentum, .dtype = rate, .absent = !moving}},
          [=](Inputs in) {
            sgd_step_(in[0], in[1], in[2], in[3], in[4], rule);
            return moving ? Tensors{in[0], in[2]} : Tensors{in[0]};
          },
          [=](const Arrays& in) {
            Array parameter(shape), velocity(shape);
            for (int64_t i = 0; i < count(shape); ++i) {
              const double gradient = in[1][i] + rule.weight_decay * in[0][i];
              velocity[i] = gradient + (moving ? in[4][0] * in[2][i] : 0);
              const double direction = rule.nesterov ? gradient + in[4][0] * velocity[i] : velocity[i];
              parameter[i] = in[0][i] - in[3][0] * direction;
            }
            return moving ? Arrays{parameter, velocity} : Arrays{parameter};
          }};
}

void take_sgd_step(const Tensor& parameter, const Tensor& gradient, const Tensor& velocity,
                   const Tensor& rate) {
  sgd_step_(parameter, gradient, velocity, rate, velocity.defined() ? full({}, 0.9) : Tensor(), {});
}

Tensor sgd_rate() {
  return full({}, 0.1, Dtype::f64);
}

}  // namespace

OpTest sgd_step_test() {
  return {
      .name = "sgd_step",
      .samples =
          {
              sgd_step_sample("plain", {3, 5}, 0, {}),
              sgd_step_sample("f32 rate", {3, 5}, 0.5, {}, Dtype::f32),
              sgd_step_sample("weight decay", {7}, 0, {.weight_decay = 0.1}),
              sgd_step_sample("momentum", {4, 3}, 0.9, {}),
              sgd_step_sample("momentum and decay", {2, 3, 2, 2}, 0.9, {.weight_decay = 0.01}),
              sgd_step_sample("nesterov", {300}, 0.8, {.weight_decay = 0.1, .nesterov = true}),
              sgd_step_sample("scalar", {}, 0.9, {}),
              sgd_step_sample("empty", {0, 2}, 0.9, {}),
          },
      .errors =
          {
              {"shapes that differ",
               [] { take_sgd_step(zeros({2, 3}), zeros({3, 2}), {}, sgd_rate()); },
               "ShapeError",
               {"sgd_step", "f32[2, 3]", "f32[3, 2]"}},
              {"types that differ",
               [] { take_sgd_step(zeros({2}), zeros({2}), zeros({2}, Dtype::f64), sgd_rate()); },
               "TypeError",
               {"sgd_step", "f32[2]", "f64[2]"}},
              {"a rate with axes",
               [] { take_sgd_step(zeros({2}), zeros({2}), {}, zeros({1})); },
               "ShapeError",
               {"sgd_step", "learning rate", "f32[1]"}},
              {"an integer rate",
               [] { take_sgd_step(zeros({2}), zeros({2}), {}, zeros({}, Dtype::i64)); },
               "TypeError",
               {"sgd_step", "learning rate", "i64[]"}},
              {"no gradient",
               [] { take_sgd_step(zeros({2}), {}, {}, sgd_rate()); },
               "ValueError",
               {"sgd_step", "undefined"}},
              {"no rate",
               [] { take_sgd_step(zeros({2}), zeros({2}), {}, {}); },
               "ValueError",
               {"sgd_step", "undefined"}},
              {"momentum without velocity",
               [] { sgd_step_(zeros({2}), zeros({2}), {}, sgd_rate(), sgd_rate(), {}); },
               "ValueError",
               {"sgd_step", "velocity is undefined", "f64[]"}},
              {"velocity without momentum",
               [] { sgd_step_(zeros({2}), zeros({2}), zeros({2}), sgd_rate(), {}, {}); },
               "ValueError",
               {"sgd_step", "velocity is f32[2]"}},
              {"nesterov without momentum",
               [] { sgd_step_(zeros({2}), zeros({2}), {}, sgd_rate(), {}, {.nesterov = true}); },
               "ValueError",
               {"sgd_step", "Nesterov"}},
              {"momentum with axes",
               [] { sgd_step_(zeros({2}), zeros({2}), zeros({2}), sgd_rate(), zeros({1}), {}); },
               "ShapeError",
               {"sgd_step", "momentum", "f32[1]"}},
          },
      .differentiable = false,
      .twice_differentiable = false,
      .benchmarks = {sgd_step_sample("4096", {64, 64}, 0.9, {}),
                     sgd_step_sample("1M", {1024, 1024}, 0.9, {})},
  };
}

}  // namespace espalier::test
