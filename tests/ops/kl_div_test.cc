#include "ops/kl_div.h"

#include <cmath>
#include <limits>

#include "tests/ops/element_loss_samples.h"
#include "tests/support/special_values.h"

namespace espalier::test {
namespace {

Tensor plain(const Tensor& x, const Tensor& t, LossReduction reduction) {
  return kl_div(x, t, {.reduction = reduction});
}

Tensor of_logs(const Tensor& x, const Tensor& t, LossReduction reduction) {
  return kl_div(x, t, {.log_target = true, .reduction = reduction});
}

std::vector<OpSample> kl_div_samples() {
  std::vector<OpSample> result =
      element_loss_samples(plain, -3, 0, [](double x, double t) { return t * (std::log(t) - x); }, 0.1);
  for (OpSample& sample :
       element_loss_samples(of_logs, -3, 0, [](double x, double t) { return std::exp(t) * (t - x); })) {
    sample.label += ", log_target";
    result.push_back(std::move(sample));
  }
  // What torch gives.
  result.push_back(fixed_loss_sample("extremes", plain, {0, -kInfinity, -kInfinity, -1e30F, NAN, 1, -1},
                                     {0, 0, 0.5F, 0.5F, 0.5F, -1, 1e-42F},
                                     {0, NAN, kInfinity, double{5e29F}, NAN, NAN, 0}));
  result.push_back(fixed_loss_sample("extreme logarithms", of_logs, {0, -kInfinity, -1, -kInfinity},
                                     {-kInfinity, -kInfinity, -kInfinity, -1}, {NAN, NAN, NAN, kInfinity}));
  return result;
}

}  // namespace

OpTest kl_div_test() {
  return {
      .name = "kl_div",
      .covers = {"kl_div_backward"},
      .samples = kl_div_samples(),
      .errors = element_loss_errors(plain, "kl_div"),
      // Sums of up to 60 terms.
      .tolerance = 8,
      .benchmarks = element_loss_benchmarks(plain, -3, 0),
  };
}

}  // namespace espalier::test
