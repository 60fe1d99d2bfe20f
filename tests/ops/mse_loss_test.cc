#include "ops/mse_loss.h"

#include <cmath>
#include <limits>

#include "tests/ops/element_loss_samples.h"
#include "tests/support/special_values.h"

namespace espalier::test {
namespace {

std::vector<OpSample> mse_loss_samples() {
  std::vector<OpSample> result =
      element_loss_samples(mse_loss, -2, 2, [](double p, double t) { return (p - t) * (p - t); });
  result.push_back(fixed_loss_sample("extremes", mse_loss, {0, NAN, kInfinity, -kInfinity, 1e30F, 1e-42F},
                                     {0, 0, 0, 0, -1e30F, 0}, {0, NAN, kInfinity, kInfinity, kInfinity, 0}));
  return result;
}

}  // namespace

OpTest mse_loss_test() {
  return {
      .name = "mse_loss",
      .covers = {"mse_loss_backward"},
      .samples = mse_loss_samples(),
      .errors = element_loss_errors(mse_loss, "mse_loss"),
      // Sums of up to 60 terms.
      .tolerance = 8,
      .benchmarks = element_loss_benchmarks(mse_loss, -2, 2),
  };
}

}  // namespace espalier::test
