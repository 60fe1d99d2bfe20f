#include "ops/mse_loss.h"

#include "tests/ops/mean_loss_samples.h"
#include "tests/support/op_test.h"

namespace espalier::test {

OpTest mse_loss_test() {
  return {
      .name = "mse_loss",
      .covers = {"mse_loss_backward"},
      .samples = mean_loss_samples(mse_loss, -2, 2, [](double p, double t) { return (p - t) * (p - t); }),
      .errors = mean_loss_errors(mse_loss, "mse_loss"),
      .benchmarks = mean_loss_benchmarks(mse_loss, -2, 2),
  };
}

}  // namespace espalier::test
