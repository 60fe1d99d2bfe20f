#include "tests/nn/layer_checks.h"

#include <algorithm>
#include <cmath>

namespace espalier::test {

Moments::Moments(const Tensor& tensor) : least(HUGE_VAL), largest(-HUGE_VAL) {
  const std::vector<float> values = tensor.to_vector<float>();
  const auto count = static_cast<double>(values.size());
  for (const float value : values) {
    least = std::min(least, static_cast<double>(value));
    largest = std::max(largest, static_cast<double>(value));
    mean += static_cast<double>(value) / count;
  }
  double variance = 0;
  for (const float value : values) {
    variance += std::pow(static_cast<double>(value) - mean, 2) / count;
    fourth += std::pow(static_cast<double>(value) - mean, 4) / count;
  }
  deviation = std::sqrt(variance);
  fourth /= variance * variance;
}

void expect_uniform(const Tensor& tensor, double bound) {
  const Moments m(tensor);
  EXPECT_GE(m.least, -bound);
  EXPECT_LE(m.largest, bound);
  EXPECT_LT(m.least, -0.98 * bound);
  EXPECT_GT(m.largest, 0.98 * bound);
  EXPECT_NEAR(m.deviation, bound / std::sqrt(3.0), 0.05 * bound);
}

}  // namespace espalier::test
