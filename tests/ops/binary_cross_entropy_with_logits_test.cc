#include "ops/binary_cross_entropy_with_logits.h"

#include <cmath>
#include <limits>

#include "tests/ops/element_loss_samples.h"
#include "tests/support/special_values.h"

namespace espalier::test {
namespace {

constexpr LossReduction kEach[] = {LossReduction::mean, LossReduction::sum, LossReduction::none};

double softplus(double x) {
  return std::max(x, 0.0) + std::log1p(std::exp(-std::abs(x)));
}

double bce_with_logits_term(double x, double y, double p = 1) {
  return (1 - y) * softplus(x) + p * y * softplus(-x);
}

Tensor bce_with_logits_loss(const Tensor& x, const Tensor& y, LossReduction reduction) {
  return binary_cross_entropy_with_logits(x, y, {.reduction = reduction});
}

/// Three times the weight for positives.
Tensor tripled(const Tensor& x, const Tensor& y, LossReduction reduction) {
  const Tensor three = full({}, 3.0, x.dtype(), x.device());
  return binary_cross_entropy_with_logits(x, y, {.pos_weight = three, .reduction = reduction});
}

/// pos_weight [positive] and, where `each`, weights of the elements.
OpSample bce_with_logits_weighted(const Shape& shape, const Shape& positive, bool each,
                                  LossReduction reduction) {
  const std::string label = "pos_weight " + to_string(positive) + (each ? " and weights, " : ", ");
  return {label + std::string(to_string(reduction)) + " of " + to_string(shape),
          {{shape, -3, 3},
           {shape, 0, 1},
           {positive, 0.5, 3},
           {.shape = shape, .low = 0, .high = 2, .absent = !each}},
          [=](Inputs in) {
            return Tensors{binary_cross_entropy_with_logits(
                in[0], in[1], {.weight = in[3], .pos_weight = in[2], .reduction = reduction})};
          },
          [=](const Arrays& in) {
            Array terms(shape);
            int64_t i = 0;
            for_each_index(shape, [&](const Dims& index) {
              terms[i] = bce_with_logits_term(in[0][i], in[1][i], broadcast_at(in[2], index)) *
                         (each ? in[3][i] : 1);
              ++i;
            });
            return reduced_terms(terms, reduction);
          }};
}

std::vector<OpSample> bce_with_logits_samples() {
  const auto unweighted = [](double x, double y) { return bce_with_logits_term(x, y); };
  std::vector<OpSample> result = element_loss_samples(bce_with_logits_loss, -3, 3, unweighted);
  for (OpSample& sample : element_loss_samples(bce_with_logits_loss, -1e4, 1e4, unweighted)) {
    sample.label += ", extreme";
    // Differences of many thousands that are not divided by their number lose the digits that are compared.
    if (sample.label.find("none") != std::string::npos)
      for (InputSpec& input : sample.inputs) input.differentiable = false;
    result.push_back(std::move(sample));
  }
  for (const LossReduction reduction : kEach) {
    result.push_back(bce_with_logits_weighted({3, 5}, {5}, false, reduction));
    result.push_back(bce_with_logits_weighted({3, 5}, {}, false, reduction));
    result.push_back(bce_with_logits_weighted({3, 5}, {3, 1}, true, reduction));
    result.push_back(bce_with_logits_weighted({2, 300}, {300}, false, reduction));
  }
  // As torch, but for -inf against 1 (where it gives NaN) and the loss of an infinite one that is right.
  const std::vector<float> far = {kInfinity, kInfinity, -kInfinity, -kInfinity, 1e30F,
                                  1e30F,     -1e30F,    -1e30F,     NAN,        1e-42F};
  const std::vector<float> targets = {0, 1, 0, 1, 0, 1, 0, 1, 0, 1};
  const double big = double{1e30F};
  result.push_back(fixed_loss_sample("extremes", bce_with_logits_loss, far, targets,
                                     {kInfinity, NAN, NAN, kInfinity, big, 0, 0, big, NAN, std::log(2)}));
  result.push_back(
      fixed_loss_sample("extremes, pos_weight", tripled, far, targets,
                        {kInfinity, NAN, NAN, kInfinity, big, 0, 0, 3 * big, NAN, 3 * std::log(2)}));
  return result;
}

}  // namespace

OpTest binary_cross_entropy_with_logits_test() {
  std::vector<OpError> errors = element_loss_errors(bce_with_logits_loss, "binary_cross_entropy_with_logits");
  errors.push_back(
      {"pos_weight that does not broadcast",
       [] { binary_cross_entropy_with_logits(zeros({3}), zeros({3}), {.pos_weight = zeros({2, 3})}); },
       "ShapeError",
       {"binary_cross_entropy_with_logits", "f32[2, 3]", "broadcast"}});
  errors.push_back({"pos_weight of another type",
                    [] {
                      binary_cross_entropy_with_logits(zeros({3}), zeros({3}),
                                                       {.pos_weight = zeros({3}, Dtype::f64)});
                    },
                    "TypeError",
                    {"binary_cross_entropy_with_logits", "f64[3]", "one type"}});
  errors.push_back(
      {"weights that do not broadcast",
       [] { binary_cross_entropy_with_logits(zeros({3}), zeros({3}), {.weight = zeros({2, 3})}); },
       "ShapeError",
       {"binary_cross_entropy_with_logits", "f32[2, 3]", "f32[3]"}});
  return {
      .name = "binary_cross_entropy_with_logits",
      .covers = {"binary_cross_entropy_with_logits_backward"},
      .samples = bce_with_logits_samples(),
      .errors = errors,
      // Sums of up to 600 losses, in lanes that hold half of them each on the oldest CPUs.
      .tolerance = 16,
      .benchmarks = element_loss_benchmarks(bce_with_logits_loss, -3, 3),
  };
}

}  // namespace espalier::test
