#include "ops/l1_loss.h"

#include <cmath>
#include <limits>

#include <gmock/gmock.h>

#include "autograd/autograd.h"
#include "tests/ops/element_loss_samples.h"
#include "tests/support/special_values.h"

namespace espalier::test {
namespace {

/// What an absolute error makes of numbers at the end of f32, as torch gives it.
const std::vector<float> kFar = {0, NAN, kInfinity, -kInfinity, 1e30F, -1e30F, 1e-42F};
const std::vector<float> kFarTargets = {0, 0, 0, 0, -1e30F, 1e30F, 0};

/// |p - t| as f32 computes it from 1e30 and -1e30.
constexpr double kTwice = double{2e30F};

Tensor huber(const Tensor& p, const Tensor& t, LossReduction reduction) {
  return huber_loss(p, t, {.delta = 0.75, .reduction = reduction});
}

Tensor smooth_l1(const Tensor& p, const Tensor& t, LossReduction reduction) {
  return smooth_l1_loss(p, t, {.beta = 0.75, .reduction = reduction});
}

OpTest object(const std::string& name, const PairLoss& loss, const std::function<double(double, double)>& f,
              const std::vector<double>& far) {
  std::vector<OpSample> samples = element_loss_samples(loss, -2, 2, f);
  samples.push_back(fixed_loss_sample("extremes", loss, kFar, kFarTargets, far));
  return {
      .name = name,
      .covers = {name + "_backward"},
      .samples = samples,
      .errors = element_loss_errors(loss, name),
      // Sums of up to 60 terms.
      .tolerance = 8,
      .benchmarks = element_loss_benchmarks(loss, -2, 2),
  };
}

TEST(L1Loss, SlopeOfNothingAndOfNanIsZeroAsInTorch) {
  const Tensor x = requires_grad_(from_values(kFar, {7}));
  backward(l1_loss(x, from_values(kFarTargets, {7}), LossReduction::sum));
  EXPECT_THAT(x.grad().to_vector<float>(), testing::ElementsAre(0, 0, 1, -1, 1, -1, 1));
}

OpError refused(std::string label, std::function<void()> run, std::vector<std::string> mentions) {
  return {std::move(label), std::move(run), "ValueError", std::move(mentions)};
}

}  // namespace

OpTest l1_loss_test() {
  return object("l1_loss", l1_loss, [](double p, double t) { return std::abs(p - t); },
                {0, NAN, kInfinity, kInfinity, kTwice, kTwice, double{1e-42F}});
}

OpTest huber_loss_test() {
  OpTest test = object("huber_loss", huber,
                       [](double p, double t) {
                         const double e = std::abs(p - t);
                         return e <= 0.75 ? e * e / 2 : 0.75 * (e - 0.375);
                       },
                       {0, NAN, kInfinity, kInfinity, 0.75 * kTwice, 0.75 * kTwice, 0});
  test.errors.push_back(refused("no delta", [] { huber_loss(zeros({2}), zeros({2}), {.delta = 0}); },
                                {"huber_loss", "delta 0", "above 0"}));
  test.errors.push_back(refused("endless delta",
                                [] { huber_loss(zeros({2}), zeros({2}), {.delta = INFINITY}); },
                                {"huber_loss", "delta inf"}));
  return test;
}

OpTest smooth_l1_loss_test() {
  OpTest test = object("smooth_l1_loss", smooth_l1,
                       [](double p, double t) {
                         const double e = std::abs(p - t);
                         return e < 0.75 ? e * e / 1.5 : e - 0.375;
                       },
                       {0, NAN, kInfinity, kInfinity, kTwice, kTwice, 0});
  OpSample sharp = test.samples.front();
  sharp.label = "no beta";
  sharp.run = [](Inputs in) { return Tensors{smooth_l1_loss(in[0], in[1], {.beta = 0})}; };
  sharp.reference = [](const Arrays& in) {
    Array terms(in[0].shape);
    for (int64_t i = 0; i < count(terms.shape); ++i) terms[i] = std::abs(in[0][i] - in[1][i]);
    return reduced_terms(terms, LossReduction::mean);
  };
  test.samples.push_back(sharp);
  test.errors.push_back(refused("negative beta", [] { smooth_l1_loss(zeros({2}), zeros({2}), {.beta = -1}); },
                                {"smooth_l1_loss", "beta -1", "0 or above"}));
  return test;
}

}  // namespace espalier::test
