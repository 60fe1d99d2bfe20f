#include "ops/binary_cross_entropy.h"

#include <algorithm>
#include <cmath>

#include "tests/ops/element_loss_samples.h"

namespace espalier::test {
namespace {

double bce_term(double p, double y) {
  return -y * std::max(std::log(p), -100.0) - (1 - y) * std::max(std::log1p(-p), -100.0);
}

Tensor bce_loss(const Tensor& p, const Tensor& y, LossReduction reduction) {
  return binary_cross_entropy(p, y, {.reduction = reduction});
}

OpSample bce_weighted(LossReduction reduction) {
  return {"weights for columns, " + std::string(to_string(reduction)),
          {{{3, 5}, 0.02, 0.98}, {{3, 5}, 0, 1}, {{5}, 0.5, 2}},
          [=](Inputs in) {
            return Tensors{binary_cross_entropy(in[0], in[1], {.weight = in[2], .reduction = reduction})};
          },
          [=](const Arrays& in) {
            Array terms(in[0].shape);
            for (int64_t i = 0; i < 15; ++i) terms[i] = in[2][i % 5] * bce_term(in[0][i], in[1][i]);
            return reduced_terms(terms, reduction);
          }};
}

std::vector<OpSample> bce_samples() {
  std::vector<OpSample> result = element_loss_samples(bce_loss, 0.02, 0.98, bce_term);
  for (const LossReduction reduction : {LossReduction::mean, LossReduction::sum, LossReduction::none})
    result.push_back(bce_weighted(reduction));
  result.push_back(fixed_loss_sample("certain and right, certain and wrong, close", bce_loss,
                                     {0, 1, 0, 1, 1e-42F, NAN}, {0, 1, 1, 0, 1, 0.5F},
                                     {0, 0, 100, 100, -std::log(double{1e-42F}), NAN}));
  return result;
}

}  // namespace

OpTest binary_cross_entropy_test() {
  std::vector<OpError> errors = element_loss_errors(bce_loss, "binary_cross_entropy");
  for (const LossReduction reduction : {LossReduction::mean, LossReduction::none}) {
    const std::string label = ", " + std::string(to_string(reduction));
    errors.push_back(
        {"a probability above 1" + label,
         [=] { bce_loss(from_values<float>({0, 0.5, 1.5, 2}, {2, 2}), zeros({2, 2}), reduction); },
         "ValueError",
         {"binary_cross_entropy", "probability 1.5", "position [1, 0]", "[0, 1]", "with_logits"}});
    errors.push_back({"a negative probability" + label,
                      [=] { bce_loss(from_values<float>({0, -0.5}, {2}), zeros({2}), reduction); },
                      "ValueError",
                      {"-0.5", "position [1]"}});
    errors.push_back({"a target above 1" + label,
                      [=] { bce_loss(zeros({2}), from_values<float>({0.5, 2}, {2}), reduction); },
                      "ValueError",
                      {"binary_cross_entropy", "target 2", "position [1]", "[0, 1]"}});
  }
  errors.push_back({"weights that do not broadcast",
                    [] { binary_cross_entropy(zeros({3}), zeros({3}), {.weight = zeros({2, 3})}); },
                    "ShapeError",
                    {"binary_cross_entropy", "f32[2, 3]", "f32[3]"}});
  return {
      .name = "binary_cross_entropy",
      .covers = {"binary_cross_entropy_backward"},
      .samples = bce_samples(),
      .errors = errors,
      // Sums of up to 60 terms.
      .tolerance = 8,
      .benchmarks = element_loss_benchmarks(bce_loss, 0.02, 0.98),
  };
}

}  // namespace espalier::test
