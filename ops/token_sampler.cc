#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <numeric>
#include <string>
#include <type_traits>

#include "core/error.h"
#include "ops/token_sampler_internal.h"

// clang-format off
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "ops/token_sampler.cc"
#include "core/highway_internal.h"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"
#include "core/masked-inl.h"
#include "ops/vector_math-inl.h"
// clang-format on

HWY_BEFORE_NAMESPACE();
namespace espalier::HWY_NAMESPACE {
namespace {

/// The largest of n numbers; NaN where one is.
template <class T>
HWY_ATTR T largest_logit_of(const T* x, int64_t n) {
  const hn::ScalableTag<T> d;
  const auto lanes = static_cast<int64_t>(hn::Lanes(d));
  const auto lowest = hn::Set(d, -std::numeric_limits<T>::infinity());
  auto top = lowest;
  auto unordered = hn::IsNaN(top);
  const auto take = [&](auto v) HWY_ATTR {
    unordered = hn::Or(unordered, hn::IsNaN(v));
    top = hn::Max(top, v);
  };
  int64_t i = 0;
  for (; i + lanes <= n; i += lanes) take(hn::LoadU(d, x + i));
  if (i < n) {
    const auto rest = hn::FirstN(d, static_cast<size_t>(n - i));
    take(hn::IfThenElse(rest, load_first(rest, d, x + i), lowest));
  }
  return hn::AllFalse(d, unordered) ? hn::GetLane(hn::MaxOfLanes(d, top))
                                    : std::numeric_limits<T>::quiet_NaN();
}

/// The first place of a value that is there.
template <class T>
HWY_ATTR int64_t place_of_logit_in(const T* x, int64_t n, T value) {
  const hn::ScalableTag<T> d;
  const auto lanes = static_cast<int64_t>(hn::Lanes(d));
  int64_t i = 0;
  while (i + lanes <= n && hn::AllFalse(d, hn::Eq(hn::LoadU(d, x + i), hn::Set(d, value)))) i += lanes;
  while (x[i] != value) ++i;
  return i;
}

/// weights = e^((x - top) / temperature), in f64; returns their sum.
template <class T>
HWY_ATTR double weights_of(const T* x, int64_t n, T top, double temperature, double* weights) {
  const hn::ScalableTag<double> d;
  const hn::Rebind<T, decltype(d)> narrow;
  const auto lanes = static_cast<int64_t>(hn::Lanes(d));
  const auto shift = hn::Set(d, static_cast<double>(top)), divisor = hn::Set(d, temperature);
  const auto weight = [&](auto v) HWY_ATTR {
    if constexpr (std::is_same_v<T, double>)
      return vector_exp(d, hn::Div(hn::Sub(v, shift), divisor));
    else
      return vector_exp(d, hn::Div(hn::Sub(hn::PromoteTo(d, v), shift), divisor));
  };
  auto sum = hn::Zero(d);
  int64_t i = 0;
  for (; i + lanes <= n; i += lanes) {
    const auto w = weight(hn::LoadU(narrow, x + i));
    sum = hn::Add(sum, w);
    hn::StoreU(w, d, weights + i);
  }
  if (i < n) {
    const auto left = static_cast<size_t>(n - i);
    const auto w = weight(load_first(hn::FirstN(narrow, left), narrow, x + i));
    sum = hn::Add(sum, hn::IfThenElseZero(hn::FirstN(d, left), w));
    store_first(w, hn::FirstN(d, left), d, weights + i);
  }
  return hn::GetLane(hn::SumOfLanes(d, sum));
}

float largest_f32(const float* x, int64_t n) {
  return largest_logit_of(x, n);
}
double largest_f64(const double* x, int64_t n) {
  return largest_logit_of(x, n);
}
int64_t place_f32(const float* x, int64_t n, float value) {
  return place_of_logit_in(x, n, value);
}
int64_t place_f64(const double* x, int64_t n, double value) {
  return place_of_logit_in(x, n, value);
}
double weights_f32(const float* x, int64_t n, float top, double temperature, double* weights) {
  return weights_of(x, n, top, temperature, weights);
}
double weights_f64(const double* x, int64_t n, double top, double temperature, double* weights) {
  return weights_of(x, n, top, temperature, weights);
}

}  // namespace
}  // namespace espalier::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace espalier {
namespace {

HWY_EXPORT(largest_f32);
HWY_EXPORT(largest_f64);
HWY_EXPORT(place_f32);
HWY_EXPORT(place_f64);
HWY_EXPORT(weights_f32);
HWY_EXPORT(weights_f64);

float largest_logit(const float* x, int64_t n) {
  return ESPALIER_DISPATCH(largest_f32)(x, n);
}
double largest_logit(const double* x, int64_t n) {
  return ESPALIER_DISPATCH(largest_f64)(x, n);
}
int64_t place_of_logit(const float* x, int64_t n, float value) {
  return ESPALIER_DISPATCH(place_f32)(x, n, value);
}
int64_t place_of_logit(const double* x, int64_t n, double value) {
  return ESPALIER_DISPATCH(place_f64)(x, n, value);
}
double weigh_logits(const float* x, int64_t n, float top, double temperature, double* weights) {
  return ESPALIER_DISPATCH(weights_f32)(x, n, top, temperature, weights);
}
double weigh_logits(const double* x, int64_t n, double top, double temperature, double* weights) {
  return ESPALIER_DISPATCH(weights_f64)(x, n, top, temperature, weights);
}

/// The tokens that top_p looks at first; a trained model's probable ones are mostly among them.
constexpr int64_t kFirstLook = 64;
/// A heap finds the best ones faster than halving does where they are fewer than this part of all. Of 50,257
/// normal numbers on an EPYC 9004 the best 256 take 30 and 250 us, the best 1,000 take 190 and 260, the best
/// 3,000 take 880 and 290.
constexpr int64_t kHeapPart = 40;

}  // namespace

template <class T>
TokenSampler<T>::TokenSampler(const SamplingOptions& options, int64_t size, Workspace& work)
    : options_(options), size_(size), most_(options.top_k > 0 ? std::min(options.top_k, size) : size) {
  if (options.temperature == 0) return;
  weights_ = work.take<double>(size);
  if (most_ < size || options.top_p < 1) best_ = work.take<T>(size);
}

template <class T>
int64_t TokenSampler<T>::draw(const T* logits, int64_t row, double uniform) const {
  const T top = largest_logit(logits, size_);
  if (!std::isfinite(top)) {
    throw NumericError(SampleToken::kName, "row " + std::to_string(row) +
                                               " of the logits holds a NaN or an infinity, or is all -inf");
  }
  if (options_.temperature == 0) return place_of_logit(logits, size_, top);
  double sum = weigh_logits(logits, size_, top, options_.temperature, weights_);
  if (most_ < size_ || options_.top_p < 1) sum = leave_out(logits, top, sum);
  double left = uniform * sum;
  int64_t last = 0;
  for (int64_t i = 0; i < size_; ++i) {
    if (weights_[i] == 0) continue;
    left -= weights_[i];
    if (left < 0) return i;
    last = i;
  }
  return last;  // by rounding
}

/// Makes the weights of the tokens 0 that are not to be drawn, and returns the sum of the others'.
template <class T>
double TokenSampler<T>::leave_out(const T* logits, T top, double sum) const {
  int64_t count = most_;
  if (options_.top_p < 1)
    count = fewest(logits, top, options_.top_p * sum);
  else
    take_best(logits, most_);
  // All that are larger than the last of the best ones stay, and of its equals the first.
  const T least = best_[count - 1];
  int64_t equals = std::count(best_, best_ + count, least);
  sum = 0;
  for (int64_t i = 0; i < size_; ++i) {
    const bool stays = logits[i] > least || (logits[i] == least && equals-- > 0);
    if (!stays) weights_[i] = 0;
    sum += weights_[i];
  }
  return sum;
}

/// Of the tokens that top_k leaves, how many of the best ones it takes until their weights add up to
/// `wanted`. These are then in best_, the last of them at their end.
template <class T>
int64_t TokenSampler<T>::fewest(const T* logits, T top, double wanted) const {
  const auto weight = [&](T logit) {
    return std::exp((static_cast<double>(logit) - static_cast<double>(top)) / options_.temperature);
  };
  const int64_t seen = std::min(kFirstLook, most_);
  std::partial_sort_copy(logits, logits + size_, best_, best_ + seen, std::greater());
  double reached = 0;
  for (int64_t i = 0; i < seen; ++i) {
    reached += weight(best_[i]);
    if (reached >= wanted) return i + 1;
  }
  // The one that reaches it is in [first, last), in whose better half or the other one.
  take_best(logits, most_);
  int64_t first = 0, last = most_;
  reached = 0;
  while (last - first > 1) {
    const int64_t middle = first + (last - first) / 2;
    std::nth_element(best_ + first, best_ + middle, best_ + last, std::greater());
    const double half = std::transform_reduce(best_ + first, best_ + middle, 0.0, std::plus(), weight);
    if (reached + half >= wanted) {
      last = middle;
    } else {
      reached += half;
      first = middle;
    }
  }
  return last;
}

/// Puts the `count` largest logits into best_, the least of them at their end.
template <class T>
void TokenSampler<T>::take_best(const T* logits, int64_t count) const {
  if (count < size_ / kHeapPart) {
    std::partial_sort_copy(logits, logits + size_, best_, best_ + count, std::greater());
    return;
  }
  std::copy_n(logits, size_, best_);
  std::nth_element(best_, best_ + count - 1, best_ + size_, std::greater());
}

template class TokenSampler<float>;
template class TokenSampler<double>;

}  // namespace espalier
#endif
