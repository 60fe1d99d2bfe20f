#include "ops/update_internal.h"
#include "ops/update_steps.h"

// clang-format off
#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "ops/update_steps_cpu.cc"
#include "core/highway_internal.h"
#include "hwy/foreach_target.h"
#include "hwy/highway.h"
#include "ops/update-inl.h"
// clang-format on

HWY_BEFORE_NAMESPACE();
namespace espalier::HWY_NAMESPACE {

// Work below is in additions of arrays in cache, the unit of parallel_for: a root and a quotient cost about
// four each, and every five memory streams two.

/// average + rate * (value - average): a mean moves towards a value.
template <class D, class V>
HWY_INLINE HWY_ATTR V moved(D d, V average, V value, hn::TFromD<D> rate) {
  return hn::MulAdd(hn::Set(d, rate), hn::Sub(value, average), average);
}

/// The same towards the square of a value.
template <class D, class V>
HWY_INLINE HWY_ATTR V moved_to_square(D d, V average, V value, hn::TFromD<D> rate) {
  return hn::MulAdd(hn::Set(d, rate), hn::MulSub(value, value, average), average);
}

template <class D, class V>
HWY_INLINE HWY_ATTR V decayed(D d, V parameter, V gradient, hn::TFromD<D> decay) {
  return decay != 0 ? hn::MulAdd(hn::Set(d, decay), parameter, gradient) : gradient;
}

/// State: the square, then the mean where `kCentred`, then the velocity where `kMoving`.
template <class C, bool kCentred, bool kMoving>
struct RmspropElements {
  C square_rate, epsilon, decay, rate, momentum;

  template <class D, class V>
  HWY_ATTR void operator()(D d, V& parameter, V gradient, V& square, V& second, V& third) const {
    gradient = decayed(d, parameter, gradient, decay);
    square = moved_to_square(d, square, gradient, square_rate);
    V variance = square;
    if constexpr (kCentred) {
      second = moved(d, second, gradient, square_rate);
      variance = hn::NegMulAdd(second, second, square);
      // Rounding may go below 0; a NaN is not less than 0 and stays.
      variance = hn::IfThenZeroElse(hn::Lt(variance, hn::Zero(d)), variance);
    }
    V direction = hn::Div(gradient, hn::Add(hn::Sqrt(variance), hn::Set(d, epsilon)));
    if constexpr (kMoving) {
      V& velocity = kCentred ? third : second;
      velocity = hn::MulAdd(hn::Set(d, momentum), velocity, direction);
      direction = velocity;
    }
    parameter = hn::NegMulAdd(hn::Set(d, rate), direction, parameter);
  }
};

template <class C>
void rmsprop(const RmspropRule& rule, double rate, double momentum, Inputs operands) {
  constexpr int64_t kWork = 8;
  const auto elements = [&]<bool kCentred, bool kMoving>() {
    return RmspropElements<C, kCentred, kMoving>{static_cast<C>(1 - rule.alpha), static_cast<C>(rule.epsilon),
                                                 static_cast<C>(rule.weight_decay), static_cast<C>(rate),
                                                 static_cast<C>(momentum)};
  };
  const bool centred = operands[3].defined(), moving = operands[4].defined();
  if (centred && moving) return run_update<C, 5>(elements.template operator()<true, true>(), operands, kWork);
  if (centred) return run_update<C, 4>(elements.template operator()<true, false>(), operands, kWork);
  if (!moving) return run_update<C, 3>(elements.template operator()<false, false>(), operands, kWork);
  const Tensor present[] = {operands[0], operands[1], operands[2], operands[4]};
  run_update<C, 4>(elements.template operator()<false, true>(), present, kWork);
}

void rmsprop_kernel(const RmspropRule& rule, double rate, double momentum, Inputs operands) {
  if (operands[0].dtype() == Dtype::f64) return rmsprop<double>(rule, rate, momentum, operands);
  rmsprop<float>(rule, rate, momentum, operands);
}

template <class C>
struct AdagradElements {
  C epsilon, decay, rate;

  template <class D, class V>
  HWY_ATTR void operator()(D d, V& parameter, V gradient, V& sum, V&, V&) const {
    gradient = decayed(d, parameter, gradient, decay);
    sum = hn::MulAdd(gradient, gradient, sum);
    const V root = hn::Add(hn::Sqrt(sum), hn::Set(d, epsilon));
    parameter = hn::Sub(parameter, hn::Div(hn::Mul(hn::Set(d, rate), gradient), root));
  }
};

template <class C>
void adagrad(const AdagradRule& rule, double rate, Inputs operands) {
  run_update<C, 3>(AdagradElements<C>{static_cast<C>(rule.epsilon), static_cast<C>(rule.weight_decay),
                                      static_cast<C>(rate)},
                   operands, 8);
}

/// `rate` is the learning rate of this step, decayed.
void adagrad_kernel(const AdagradRule& rule, double rate, Inputs operands) {
  if (operands[0].dtype() == Dtype::f64) return adagrad<double>(rule, rate, operands);
  adagrad<float>(rule, rate, operands);
}

template <class C>
struct AdadeltaElements {
  C square_rate, epsilon, decay, rate;

  template <class D, class V>
  HWY_ATTR void operator()(D d, V& parameter, V gradient, V& square, V& change_square, V&) const {
    const V least = hn::Set(d, epsilon);
    gradient = decayed(d, parameter, gradient, decay);
    square = moved_to_square(d, square, gradient, square_rate);
    // Two roots, as PyTorch takes them: the quotient of the squares would overflow in f32 where they do not.
    const V scale = hn::Div(hn::Sqrt(hn::Add(change_square, least)), hn::Sqrt(hn::Add(square, least)));
    const V change = hn::Mul(scale, gradient);
    change_square = moved_to_square(d, change_square, change, square_rate);
    parameter = hn::NegMulAdd(hn::Set(d, rate), change, parameter);
  }
};

template <class C>
void adadelta(const AdadeltaRule& rule, double rate, Inputs operands) {
  run_update<C, 4>(AdadeltaElements<C>{static_cast<C>(1 - rule.rho), static_cast<C>(rule.epsilon),
                                       static_cast<C>(rule.weight_decay), static_cast<C>(rate)},
                   operands, 12);
}

void adadelta_kernel(const AdadeltaRule& rule, double rate, Inputs operands) {
  if (operands[0].dtype() == Dtype::f64) return adadelta<double>(rule, rate, operands);
  adadelta<float>(rule, rate, operands);
}

template <class C>
struct LionElements {
  C direction_rate, mean_rate, rate, kept;

  template <class D, class V>
  HWY_ATTR void operator()(D d, V& parameter, V gradient, V& mean, V&, V&) const {
    const V direction = moved(d, mean, gradient, direction_rate);
    const V signs = hn::CopySign(hn::Set(d, 1), direction);
    // 0 and NaN stand for themselves.
    const auto own = hn::Not(hn::Gt(hn::Abs(direction), hn::Zero(d)));
    const V step = hn::IfThenElse(own, direction, signs);
    parameter = hn::NegMulAdd(hn::Set(d, rate), step, hn::Mul(hn::Set(d, kept), parameter));
    mean = moved(d, mean, gradient, mean_rate);
  }
};

template <class C>
void lion(const LionRule& rule, double rate, double beta1, Inputs operands) {
  run_update<C, 3>(LionElements<C>{static_cast<C>(1 - beta1), static_cast<C>(1 - rule.beta2),
                                   static_cast<C>(rate), static_cast<C>(1 - rate * rule.weight_decay)},
                   operands, 3);
}

void lion_kernel(const LionRule& rule, double rate, double beta1, Inputs operands) {
  if (operands[0].dtype() == Dtype::f64) return lion<double>(rule, rate, beta1, operands);
  lion<float>(rule, rate, beta1, operands);
}

template <class C>
struct AverageElements {
  C rate;

  template <class D, class V>
  HWY_ATTR void operator()(D d, V& average, V value, V&, V&, V&) const {
    average = moved(d, average, value, rate);
  }
};

void average_kernel(double rate, Inputs operands) {
  if (operands[0].dtype() == Dtype::f64)
    return run_update<double, 2>(AverageElements<double>{rate}, operands, 1);
  run_update<float, 2>(AverageElements<float>{static_cast<float>(rate)}, operands, 1);
}

}  // namespace espalier::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace espalier {

HWY_EXPORT(rmsprop_kernel);
HWY_EXPORT(adagrad_kernel);
HWY_EXPORT(adadelta_kernel);
HWY_EXPORT(lion_kernel);
HWY_EXPORT(average_kernel);

void rmsprop_step_cpu(const RmspropStep& op, Inputs inputs, Outputs) {
  const double momentum = inputs[6].defined() ? inputs[6].item() : 0;
  ESPALIER_DISPATCH(rmsprop_kernel)(op.rule(), inputs[5].item(), momentum, inputs);
}

void adagrad_step_cpu(const AdagradStep& op, Inputs inputs, Outputs outputs) {
  const double step = count_step(AdagradStep::kName, outputs[2]);
  const double rate = inputs[3].item() / (1 + (step - 1) * op.rule().rate_decay);
  ESPALIER_DISPATCH(adagrad_kernel)(op.rule(), rate, inputs);
}

void adadelta_step_cpu(const AdadeltaStep& op, Inputs inputs, Outputs) {
  ESPALIER_DISPATCH(adadelta_kernel)(op.rule(), inputs[4].item(), inputs);
}

void lion_step_cpu(const LionStep& op, Inputs inputs, Outputs) {
  ESPALIER_DISPATCH(lion_kernel)(op.rule(), inputs[3].item(), inputs[4].item(), inputs);
}

void average_step_cpu(const AverageStep&, Inputs inputs, Outputs) {
  ESPALIER_DISPATCH(average_kernel)(inputs[2].item(), inputs);
}

}  // namespace espalier
#endif
