#include <array>
#include <cmath>
#include <cstdint>
#include <limits>
#include <type_traits>

#include "ops/power.h"

// clang-format off
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "ops/power_cpu.cc"
#include "core/highway_internal.h"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"
#include "ops/elementwise-inl.h"
#include "ops/vector_math-inl.h"
// clang-format on

HWY_BEFORE_NAMESPACE();
namespace espalier::HWY_NAMESPACE {

/// Series in double precision whose rest is below 2^-32 of a power of floats, 1/256 of its last place:
/// log2((1 + s) / (1 - s)) = 2 / ln 2 (s + s^3 / 3 + ...) for |s| <= 0.172, multiplied by exponents up to
/// 300, and 2^r = 1 + r ln 2 + (r ln 2)^2 / 2 + ... for |r| <= 1/2.
inline constexpr double kLn2 = 0.69314718055994531;
inline constexpr std::array<double, 7> kLogSeries = {2 / kLn2,     2 / kLn2 / 3,  2 / kLn2 / 5, 2 / kLn2 / 7,
                                                     2 / kLn2 / 9, 2 / kLn2 / 11, 2 / kLn2 / 13};
inline constexpr std::array<double, 9> exp2_series() {
  std::array<double, 9> terms{1};
  for (size_t k = 1; k < terms.size(); ++k) terms[k] = terms[k - 1] * kLn2 / static_cast<double>(k);
  return terms;
}
inline constexpr std::array<double, 9> kExp2Series = exp2_series();

/// The sum of terms[i] x^i.
template <class D, class V, size_t N>
HWY_INLINE V polynomial(D d, V x, const std::array<double, N>& terms) {
  V sum = hn::Set(d, terms[N - 1]);
  for (size_t i = N - 1; i-- > 0;) sum = hn::MulAdd(sum, x, hn::Set(d, terms[i]));
  return sum;
}

/// x^y for floats x >= 0 and y, widened to double, in which a product of y and a logarithm keeps enough
/// places and nothing is subnormal. NaN where x is 1 and y infinite, or x 0 or infinite and y 0.
template <class D, class V>
HWY_INLINE V power_of_magnitude(D d, V x, V y) {
  const hn::RebindToSigned<D> integers;
  // x = m 2^n with m from sqrt(1/2) to sqrt(2).
  const auto bits = hn::BitCast(integers, x);
  const auto exponent = hn::ShiftRight<52>(hn::Sub(bits, hn::BitCast(integers, hn::Set(d, std::sqrt(0.5)))));
  const V m = hn::BitCast(d, hn::Sub(bits, hn::ShiftLeft<52>(exponent)));
  const V one = hn::Set(d, 1.0);
  const V s = hn::Div(hn::Sub(m, one), hn::Add(m, one));
  V log2 = hn::MulAdd(s, polynomial(d, hn::Mul(s, s), kLogSeries), hn::ConvertTo(d, exponent));
  const V infinity = hn::Set(d, std::numeric_limits<double>::infinity());
  log2 = hn::IfThenElse(hn::Lt(x, infinity), log2, x);  // else infinity or NaN
  log2 = hn::IfThenElse(hn::Eq(x, hn::Zero(d)), hn::Neg(infinity), log2);
  // Beyond 2^200 and 2^-200 floats are infinity and 0. Min and Max give the second operand where it is NaN.
  const V p = hn::Min(hn::Set(d, 200.0), hn::Max(hn::Set(d, -200.0), hn::Mul(y, log2)));
  const V rounder = hn::Set(d, MathConstants<double>::kRounder);
  const V rounded = hn::Add(p, rounder);
  const V r = hn::Sub(p, hn::Sub(rounded, rounder));
  const auto n = hn::Sub(hn::BitCast(integers, rounded), hn::BitCast(integers, rounder));
  return hn::Mul(polynomial(d, r, kExp2Series), power_of_two(d, n));
}

/// What `f` makes of the lanes one by one.
template <class D, class V, class F>
HWY_INLINE V lane_by_lane(D d, V a, V b, F f) {
  using T = hn::TFromD<D>;
  HWY_ALIGN T x[hn::MaxLanes(d)];
  HWY_ALIGN T y[hn::MaxLanes(d)];
  hn::Store(a, d, x);
  hn::Store(b, d, y);
  for (size_t i = 0; i < hn::Lanes(d); ++i) x[i] = f(x[i], y[i]);
  return hn::Load(d, x);
}

/// a^b modulo 2^bits, by squaring.
template <class T>
T integer_power(T a, T b) {
  using U = std::make_unsigned_t<T>;
  if (b < 0) return a == 1 ? T{1} : a == -1 ? (b % 2 == 0 ? T{1} : T{-1}) : T{0};
  U power = 1, square = static_cast<U>(a);
  for (auto rest = static_cast<U>(b); rest != 0; rest >>= 1) {
    if (rest & 1) power *= square;
    square *= square;
  }
  return static_cast<T>(power);
}

/// a^b, with errors of up to 0.51 units in the last place for floats.
template <class D, class V>
HWY_INLINE V vector_power(D d, V a, V b) {
  using T = hn::TFromD<D>;
  if constexpr (std::is_integral_v<T>) {
    return lane_by_lane(d, a, b, integer_power<T>);
  } else if constexpr (sizeof(T) == 8) {
    return lane_by_lane(d, a, b, [](T x, T y) { return std::pow(x, y); });
  } else {
    const hn::Half<D> half;
    const hn::Repartition<double, D> wide;
    const V magnitude = hn::Abs(a);
    const auto low = power_of_magnitude(wide, hn::PromoteTo(wide, hn::LowerHalf(half, magnitude)),
                                        hn::PromoteTo(wide, hn::LowerHalf(half, b)));
    const auto high = power_of_magnitude(wide, hn::PromoteTo(wide, hn::UpperHalf(half, magnitude)),
                                         hn::PromoteTo(wide, hn::UpperHalf(half, b)));
    V power = hn::Combine(d, hn::DemoteTo(half, high), hn::DemoteTo(half, low));

    const V zero = hn::Zero(d), one = hn::Set(d, T{1});
    const V infinity = hn::Set(d, std::numeric_limits<T>::infinity());
    const V half_b = hn::Mul(b, hn::Set(d, T{0.5}));
    const auto whole = hn::Eq(hn::Trunc(b), b);
    const auto odd = hn::And(whole, hn::Ne(hn::Trunc(half_b), half_b));
    power = hn::Or(power, hn::IfThenElseZero(odd, hn::And(hn::SignBit(d), a)));
    const auto negative = hn::And(hn::Lt(a, zero), hn::Lt(hn::Neg(infinity), a));
    power =
        hn::IfThenElse(hn::AndNot(whole, negative), hn::Set(d, std::numeric_limits<T>::quiet_NaN()), power);
    const auto unit = hn::And(hn::Eq(magnitude, one), hn::Eq(hn::Abs(b), infinity));
    return hn::IfThenElse(hn::Or(unit, hn::Or(hn::Eq(a, one), hn::Eq(b, zero))), one, power);
  }
}

struct PowerElements {
  template <class D, class V>
  HWY_ATTR V operator()(D d, V a, V b) const {
    return vector_power(d, a, b);
  }
};

struct PowerBackwardElements {
  template <class D, class V>
  HWY_ATTR V operator()(D d, V g, V a, V b) const {
    const V slope = hn::Mul(b, vector_power(d, a, hn::Sub(b, hn::Set(d, hn::TFromD<D>{1}))));
    return hn::IfThenZeroElse(hn::Eq(b, hn::Zero(d)), hn::Mul(g, slope));
  }
};

/// a to the fixed exponent halves / 2.
template <int halves, class D, class V>
HWY_INLINE V fixed_power(D d, V a) {
  const V one = hn::Set(d, hn::TFromD<D>{1});
  if constexpr (halves < 0) return hn::Div(one, fixed_power<-halves>(d, a));
  if constexpr (halves == 0) return one;
  if constexpr (halves == 1) return hn::Sqrt(a);
  if constexpr (halves == 2) return a;
  if constexpr (halves > 2) return hn::Mul(fixed_power<halves - 2>(d, a), a);
}

template <int halves>
struct FixedPowerElements {
  template <class D, class V>
  HWY_ATTR V operator()(D d, V a, V) const {
    return fixed_power<halves>(d, a);
  }
};

template <int halves>
struct FixedPowerBackwardElements {
  template <class D, class V>
  HWY_ATTR V operator()(D d, V g, V a, V b) const {
    if constexpr (halves == 0)
      return hn::Zero(d);
    else
      return hn::Mul(g, hn::Mul(b, fixed_power<halves - 2>(d, a)));
  }
};

/// Runs `Fixed<2 b>` where `exponent` has no axes and is one of a few simple numbers b, else `General`.
template <template <int> class Fixed, class General, size_t kInputs>
void run_power(const Tensor& exponent, const Tensor& output, Inputs inputs) {
  // The cost of a division or a root, and of the logarithm and exponential, measured in additions.
  constexpr int64_t kSimple = 4, kWork = 40;
  const auto run = [&](auto halves) {
    run_elementwise_floating<kInputs>(Fixed<halves.value>(), output, inputs, kSimple);
  };
  const double halves = exponent.rank() == 0 ? 2 * exponent.item() : std::nan("");
  if (halves == 0) return run(std::integral_constant<int, 0>());
  if (halves == 1) return run(std::integral_constant<int, 1>());
  if (halves == 2) return run(std::integral_constant<int, 2>());
  if (halves == 4) return run(std::integral_constant<int, 4>());
  if (halves == 6) return run(std::integral_constant<int, 6>());
  if (halves == -1) return run(std::integral_constant<int, -1>());
  if (halves == -2) return run(std::integral_constant<int, -2>());
  if (halves == -4) return run(std::integral_constant<int, -4>());
  run_elementwise_floating<kInputs>(General(), output, inputs, kWork);
}

void power_kernel(const Power&, const Tensor& output, Inputs inputs) {
  if (is_floating(output.dtype()))
    run_power<FixedPowerElements, PowerElements, 2>(inputs[1], output, inputs);
  else if (output.dtype() == Dtype::i64)
    run_elementwise<int64_t, 2>(PowerElements(), output, inputs, 16);
  else
    run_elementwise<int32_t, 2>(PowerElements(), output, inputs, 16);
}

void power_backward_kernel(const PowerBackward&, const Tensor& output, Inputs inputs) {
  run_power<FixedPowerBackwardElements, PowerBackwardElements, 3>(inputs[2], output, inputs);
}

}  // namespace espalier::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

ESPALIER_ELEMENTWISE_KERNEL(Power, power)
ESPALIER_ELEMENTWISE_KERNEL(PowerBackward, power_backward)
