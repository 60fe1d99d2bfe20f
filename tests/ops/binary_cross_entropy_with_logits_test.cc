#include "ops/binary_cross_entropy_with_logits.h"

#include <cmath>

#include "tests/ops/mean_loss_samples.h"
#include "tests/support/op_test.h"

namespace espalier::test {
namespace {

double loss(double x, double y) {
  return std::max(x, 0.0) - x * y + std::log1p(std::exp(-std::abs(x)));
}

std::vector<OpSample> samples() {
  std::vector<OpSample> result = mean_loss_samples(binary_cross_entropy_with_logits, -3, 3, loss);
  for (OpSample& sample : mean_loss_samples(binary_cross_entropy_with_logits, -1e4, 1e4, loss)) {
    sample.label += ", extreme";
    result.push_back(std::move(sample));
  }
  return result;
}

}  // namespace

OpTest binary_cross_entropy_with_logits_test() {
  return {
      .name = "binary_cross_entropy_with_logits",
      .covers = {"binary_cross_entropy_with_logits_backward"},
      .samples = samples(),
      .errors = mean_loss_errors(binary_cross_entropy_with_logits, "binary_cross_entropy_with_logits"),
      // Sums of up to 600 losses, in lanes that hold half of them each on the oldest CPUs.
      .tolerance = 16,
      .benchmarks = mean_loss_benchmarks(binary_cross_entropy_with_logits, -3, 3),
  };
}

}  // namespace espalier::test
