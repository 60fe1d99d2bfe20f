#include "ops/binary_cross_entropy.h"

#include <algorithm>
#include <cmath>

#include "tests/ops/mean_loss_samples.h"
#include "tests/support/op_test.h"

namespace espalier::test {
namespace {

double loss(double p, double y) {
  return -y * std::max(std::log(p), -100.0) - (1 - y) * std::max(std::log1p(-p), -100.0);
}

std::vector<OpSample> samples() {
  std::vector<OpSample> result = mean_loss_samples(binary_cross_entropy, 0.02, 0.98, loss);
  result.push_back({"certain and right, certain and wrong",
                    {{.shape = {4}, .differentiable = false}},
                    [](Inputs in) {
                      const Tensor p = from_values<float>({0, 1, 0, 1}, {4});
                      const Tensor y = from_values<float>({0, 1, 1, 0}, {4});
                      return Tensors{in[0].device() == kMeta ? empty({}, Dtype::f32, kMeta)
                                                             : binary_cross_entropy(p, y)};
                    },
                    [](const Arrays&) {
                      Array mean;
                      mean[0] = 50;
                      return Arrays{mean};
                    }});
  return result;
}

}  // namespace

OpTest binary_cross_entropy_test() {
  std::vector<OpError> errors = mean_loss_errors(binary_cross_entropy, "binary_cross_entropy");
  errors.push_back({"a probability above 1",
                    [] { binary_cross_entropy(from_values<float>({0, 0.5, 1.5, 2}, {2, 2}), zeros({2, 2})); },
                    "ValueError",
                    {"binary_cross_entropy", "1.5", "position [1, 0]", "[0, 1]", "with_logits"}});
  errors.push_back({"a negative probability",
                    [] { binary_cross_entropy(from_values<float>({0, -0.5}, {2}), zeros({2})); },
                    "ValueError",
                    {"-0.5", "position [1]"}});
  return {
      .name = "binary_cross_entropy",
      .covers = {"binary_cross_entropy_backward"},
      .samples = samples(),
      .errors = errors,
      .benchmarks = mean_loss_benchmarks(binary_cross_entropy, 0.02, 0.98),
  };
}

}  // namespace espalier::test
