#include "nn/init.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <string>
#include <string_view>
#include <vector>

#include "core/door.h"
#include "core/error.h"
#include "core/parallel.h"
#include "ops/cast.h"
#include "ops/copy.h"
#include "ops/multiply.h"
#include "ops/permute.h"
#include "ops/qr.h"
#include "ops/reshape.h"

namespace espalier::nn {
namespace {

void check_target(std::string_view where, const Tensor& target) {
  check_defined(where, target);
  if (!is_floating(target.dtype())) throw TypeError(where, describe(target) + " is not of a floating type");
}

void check_gain(std::string_view where, double gain) {
  if (!std::isfinite(gain) || gain < 0)
    throw ValueError(where, "gain " + std::to_string(gain) + "; expected a finite number of at least 0");
}

Fans checked_fans(std::string_view where, const Tensor& target, double gain) {
  check_target(where, target);
  check_gain(where, gain);
  if (target.rank() < 2) {
    throw ValueError(where,
                     describe(target) + " has no fans; expected a weight [out, in] or [out, in, kernel...]");
  }
  return fans_of(target.shape());
}

Tensor fill_uniform(const Tensor& target, double bound, const Generator& from) {
  const NoGrad no_grad;
  return target.numel() == 0 ? target : uniform_(target, -bound, bound, from);
}

Tensor fill_normal(const Tensor& target, double deviation, const Generator& from) {
  const NoGrad no_grad;
  return target.numel() == 0 ? target : normal_(target, 0, deviation, from);
}

double pick(const Fans& fans, Fan fan) {
  return static_cast<double>(fan == Fan::in ? fans.in : fans.out);
}

/// The probability that a standard normal number is below x.
double normal_distribution(double x) {
  return 0.5 * std::erfc(-x / std::numbers::sqrt2);
}

/// Its inverse for 0 < p < 1: Abramowitz, Stegun, "Handbook of mathematical functions", 26.2.23, which is
/// within 4.5e-4, and two of Halley's steps, each of which cubes the error.
double normal_quantile(double p) {
  const double tail = std::min(p, 1 - p), t = std::sqrt(-2 * std::log(tail));
  // -x of the lower tail
  double x =
      t - (2.515517 + t * (0.802853 + t * 0.010328)) / (1 + t * (1.432788 + t * (0.189269 + t * 0.001308)));
  for (int step = 0; step < 2; ++step) {
    const double density = std::exp(-0.5 * x * x) / std::sqrt(2 * std::numbers::pi);
    const double newton = (tail - normal_distribution(-x)) / density;
    x -= newton / (1 - 0.5 * x * newton);
  }
  return p < 0.5 ? -x : x;
}

/// Puts values made on the CPU into a target of any type and device.
Tensor put(const Tensor& target, const Tensor& values) {
  return copy_(target, cast(values, target.dtype()));
}

}  // namespace

Tensor uniform_by_fan_in(const Shape& shape, int64_t fan_in, const Generator& from) {
  const NoGrad no_grad;
  const double bound = 1 / std::sqrt(static_cast<double>(std::max<int64_t>(fan_in, 1)));
  return uniform_(empty(shape), -bound, bound, from);
}

Tensor kaiming_normal(const Shape& shape, int64_t fan_in, const Generator& from) {
  return normal_values(shape, std::sqrt(2 / static_cast<double>(std::max<int64_t>(fan_in, 1))), from);
}

Tensor normal_values(const Shape& shape, double deviation, const Generator& from) {
  const NoGrad no_grad;
  return normal_(empty(shape), 0, deviation, from);
}

Fans fans_of(const Shape& weight) {
  if (weight.rank() < 2) {
    throw ValueError("fans_of", "shape " + to_string(weight) +
                                    "; expected that of a weight, [out, in] or [out, in, kernel...]");
  }
  Fans fans = {weight[1], weight[0]};
  for (int i = 2; i < weight.rank(); ++i) {
    fans.in *= weight[i];
    fans.out *= weight[i];
  }
  return fans;
}

double gain_of(Nonlinearity after, double slope) {
  switch (after) {
    case Nonlinearity::tanh:
      return 5.0 / 3;
    case Nonlinearity::relu:
      return std::numbers::sqrt2;
    case Nonlinearity::leaky_relu:
      return std::sqrt(2 / (1 + slope * slope));
    case Nonlinearity::selu:
      return 0.75;
    case Nonlinearity::linear:
    case Nonlinearity::sigmoid:
      break;
  }
  return 1;
}

Tensor xavier_uniform_(const Tensor& target, double gain, const Generator& from) {
  const Fans fans = checked_fans("xavier_uniform_", target, gain);
  return fill_uniform(target, gain * std::sqrt(6 / static_cast<double>(fans.in + fans.out)), from);
}

Tensor xavier_normal_(const Tensor& target, double gain, const Generator& from) {
  const Fans fans = checked_fans("xavier_normal_", target, gain);
  return fill_normal(target, gain * std::sqrt(2 / static_cast<double>(fans.in + fans.out)), from);
}

Tensor kaiming_uniform_(const Tensor& target, double gain, Fan fan, const Generator& from) {
  const Fans fans = checked_fans("kaiming_uniform_", target, gain);
  return fill_uniform(target, gain * std::sqrt(3 / pick(fans, fan)), from);
}

Tensor kaiming_normal_(const Tensor& target, double gain, Fan fan, const Generator& from) {
  const Fans fans = checked_fans("kaiming_normal_", target, gain);
  return fill_normal(target, gain / std::sqrt(pick(fans, fan)), from);
}

Tensor truncated_normal_(const Tensor& target, double mean, double deviation, double low, double high,
                         const Generator& from) {
  constexpr std::string_view kName = "truncated_normal_";
  check_target(kName, target);
  if (!std::isfinite(mean) || !std::isfinite(deviation) || deviation <= 0 || !(low < high)) {
    throw ValueError(kName, "mean " + std::to_string(mean) + ", deviation " + std::to_string(deviation) +
                                ", interval [" + std::to_string(low) + ", " + std::to_string(high) +
                                "]; expected finite numbers, a deviation above 0, and low < high");
  }
  // Above the mean probabilities are close to 1, where doubles are coarse: the mirrored interval is as good.
  const bool mirrored = low > mean;
  const double side = mirrored ? -1 : 1;
  const double first = normal_distribution(side * ((mirrored ? high : low) - mean) / deviation);
  const double last = normal_distribution(side * ((mirrored ? low : high) - mean) / deviation);
  if (!(first < last)) {
    throw ValueError(kName, "the interval [" + std::to_string(low) + ", " + std::to_string(high) +
                                "] is too far from mean " + std::to_string(mean) + " with deviation " +
                                std::to_string(deviation) + " to have a probability");
  }
  const NoGrad no_grad;
  if (target.numel() == 0 || target.device().type == DeviceType::meta) return target;
  const Tensor uniform_numbers = uniform_(empty(target.shape()), 0, 1, from);
  const Tensor values = empty(target.shape(), Dtype::f64);
  const auto* u = static_cast<const float*>(uniform_numbers.raw_data());
  auto* y = static_cast<double*>(values.raw_data());
  // 300: simple operations an element, of which the two complementary error functions are most.
  parallel_for(0, target.numel(), kSerialWork / 300, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      // The middle of the cell of width 2^-24 that a number stands for: never 0 or 1.
      const double p = first + (static_cast<double>(u[i]) + 0x1p-25) * (last - first);
      y[i] = std::clamp(mean + side * deviation * normal_quantile(p), low, high);
    }
  });
  return put(target, values);
}

Tensor orthogonal_(const Tensor& target, double gain, const Generator& from) {
  const Fans fans = checked_fans("orthogonal_", target, gain);
  const NoGrad no_grad;
  if (target.numel() == 0 || target.device().type == DeviceType::meta) return target;
  const int64_t rows = target.shape()[0], columns = fans.in;
  const bool wide = rows < columns;
  const Dtype dtype = target.dtype() == Dtype::f64 ? Dtype::f64 : Dtype::f32;
  const QrFactors factors =
      qr(normal_(empty({std::max(rows, columns), std::min(rows, columns)}, dtype), 0, 1, from));
  std::vector<double> signs;
  const std::vector<double> r = cast(factors.r, Dtype::f64).to_vector<double>();
  const auto size = static_cast<size_t>(std::min(rows, columns));
  for (size_t i = 0; i < size; ++i) signs.push_back(std::copysign(gain, r[i * (size + 1)]));
  const Tensor q = factors.q * cast(from_values(signs, {static_cast<int64_t>(size)}), dtype);
  return put(target, reshape(wide ? transpose(q, 0, 1) : q, target.shape()));
}

Tensor constant_(const Tensor& target, double value) {
  check_target("constant_", target);
  const NoGrad no_grad;
  return copy_(target, full({}, value, target.dtype(), target.device()));
}

Tensor zeros_(const Tensor& target) {
  return constant_(target, 0);
}

Tensor ones_(const Tensor& target) {
  return constant_(target, 1);
}

}  // namespace espalier::nn
