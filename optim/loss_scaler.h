#pragma once

#include <cstdint>
#include <span>

#include "nn/state.h"

namespace espalier::optim {

struct LossScalerOptions {
  double initial = 65536;  ///< the first scale, 2^16
  double growth = 2;       ///< what the scale is multiplied by after so many good steps in a row,
  int64_t growth_interval = 2000;
  double backoff = 0.5;  ///< and by after a step whose gradients are not finite
};

/// Keeps the gradients of an f16 network (ops/autocast.h) in the range of f16, whose smallest number is 6e-8:
/// the loss is multiplied by a scale before backward, the gradients are divided by it before the step, and a
/// step whose gradients overflowed is left out, with a smaller scale from then on (Micikevicius et al.,
/// "Mixed Precision Training", ICLR 2018, section 3.2; rule and defaults of torch.amp.GradScaler).
///
///   backward(scaler.scale(loss));
///   if (scaler.unscale_(net)) adamw.step();
///
/// Scales that are powers of two change no digit of a gradient. One thread at a time may use it.
class ESPALIER_API LossScaler {
 public:
  /// Throws ValueError unless the initial scale is positive and finite, growth at least 1, backoff between 0
  /// and 1 and the interval at least 1.
  explicit LossScaler(const LossScalerOptions& options = {});

  double scale() const;
  /// `loss` times the scale, in f32 where it is narrower.
  Tensor scale(const Tensor& loss) const;

  /// Divides the gradients of `parameters` by the scale, in place, and adapts the scale. Returns whether they
  /// are finite; where not, they stay as they are and must not be used. Throws NumericError where the scale
  /// has become smaller than any that could help (2^-24): the loss itself is not finite then, or nearly so.
  bool unscale_(std::span<const Tensor> parameters);
  template <nn::Visitable M>
  bool unscale_(M& model) {
    return unscale_(nn::parameters(model));
  }

  /// How many times unscale_() refused.
  int64_t skipped() const;

  nn::StateMap state();
  /// Throws ValueError as nn::load_state() does, and for a scale that is not positive and finite.
  void load_state(const nn::StateMap& state);
  void visit(nn::Visitor& visitor);

 private:
  LossScalerOptions options_;
  Tensor scale_, good_steps_, skipped_;  ///< f64, i64, i64, without axes
};

}  // namespace espalier::optim
