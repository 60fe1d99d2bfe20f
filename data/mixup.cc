#include <cmath>
#include <numbers>
#include <numeric>
#include <string>
#include <vector>

#include "core/error.h"
#include "data/shuffle_internal.h"
#include "data/transforms.h"
#include "ops/copy.h"

namespace espalier::data {
namespace {

/// Never 0, so that it has a logarithm.
double positive_uniform(RandomStream& random) {
  return 1 - static_cast<double>(random.uniform());
}

double normal(RandomStream& random) {
  const double radius = std::sqrt(-2 * std::log(positive_uniform(random)));
  return radius * std::cos(2 * std::numbers::pi * static_cast<double>(random.uniform()));
}

/// The logarithm of a number of a Gamma(alpha) distribution, whose own value may be too small for a double:
/// G. Marsaglia, W. Tsang, "A simple method for generating gamma variables", 2000; below 1 by the identity of
/// its section 6.
double log_gamma_variate(double alpha, RandomStream& random) {
  if (alpha < 1) return log_gamma_variate(alpha + 1, random) + std::log(positive_uniform(random)) / alpha;
  const double d = alpha - 1.0 / 3, c = 1 / std::sqrt(9 * d);
  for (;;) {
    const double x = normal(random), v = std::pow(1 + c * x, 3);
    if (v > 0 && std::log(positive_uniform(random)) < x * x / 2 + d - d * v + d * std::log(v))
      return std::log(d * v);
  }
}

/// l rows[i] + (1 - l) rows[partner[i]].
Tensor mix(const Tensor& tensor, const std::vector<int64_t>& partner, float share) {
  const Tensor rows = contiguous(tensor.detach()), mixed = empty(rows.shape());
  const int64_t width = rows.size(0) == 0 ? 0 : rows.numel() / rows.size(0);
  const auto* from = rows.data<float>();
  auto* to = static_cast<float*>(mixed.raw_data());
  for (size_t i = 0; i < partner.size(); ++i) {
    const float *one = from + static_cast<int64_t>(i) * width, *other = from + partner[i] * width;
    for (int64_t j = 0; j < width; ++j) *to++ = share * one[j] + (1 - share) * other[j];
  }
  return mixed;
}

}  // namespace

Transform mixup(double alpha) {
  if (!(alpha > 0) || !std::isfinite(alpha))
    throw ValueError("mixup", "alpha " + std::to_string(alpha) + "; expected a positive number");
  return [=](const Examples& batch, RandomStream& random) {
    if (batch.inputs.dtype() != Dtype::f32 || batch.labels.dtype() != Dtype::f32) {
      throw TypeError("mixup", "inputs " + describe(batch.inputs) + " and labels " + describe(batch.labels) +
                                   "; expected f32: normalise() and one_hot() come first");
    }
    std::vector<int64_t> partner(static_cast<size_t>(batch.size()));
    std::iota(partner.begin(), partner.end(), 0);
    const uint64_t seed = random.word();
    shuffle(partner, seed | uint64_t{random.word()} << 32, 0);
    // x / (x + y) of two gamma variates, from their logarithms.
    const double x = log_gamma_variate(alpha, random), y = log_gamma_variate(alpha, random);
    const auto share = static_cast<float>(1 / (1 + std::exp(y - x)));
    return Examples{mix(batch.inputs, partner, share), mix(batch.labels, partner, share)};
  };
}

}  // namespace espalier::data
