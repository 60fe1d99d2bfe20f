#pragma once

#include <span>

#include "nn/state.h"

namespace espalier::optim {

/// What clip_grad_norm() does about a total norm that is infinite or NaN.
enum class NonFinite {
  propagate,  ///< what the formula gives: an infinite norm makes finite gradients 0 and infinite ones NaN, a
              ///< NaN makes all NaN, so that the mistake shows in the parameters; PyTorch's default
  refuse,     ///< throw NumericError before any gradient is changed
};

/// Scales the gradients of `parameters` together, in place, so that their total Euclidean norm is at most
/// `max_norm`: by min(1, max_norm / (norm + 1e-6)), as torch.nn.utils.clip_grad_norm_ does. Returns the norm
/// before, an f64 tensor without axes (0 where no parameter has a gradient). Throws ValueError for a
/// `max_norm` that is negative or NaN, GradientError for a parameter that is not a leaf. Call it between
/// backward and step:
///
///   const double norm = optim::clip_grad_norm(model, 1.0).item();
ESPALIER_API Tensor clip_grad_norm(std::span<const Tensor> parameters, double max_norm,
                                   NonFinite non_finite = NonFinite::propagate);
template <nn::Visitable M>
Tensor clip_grad_norm(M& model, double max_norm, NonFinite non_finite = NonFinite::propagate) {
  return clip_grad_norm(nn::parameters(model), max_norm, non_finite);
}

/// Brings every element of the gradients of `parameters`, in place, into [-limit, limit]; NaN stays. Throws
/// ValueError for a limit that is negative or NaN, GradientError for a parameter that is not a leaf.
ESPALIER_API void clip_grad_value(std::span<const Tensor> parameters, double limit);
template <nn::Visitable M>
void clip_grad_value(M& model, double limit) {
  clip_grad_value(nn::parameters(model), limit);
}

}  // namespace espalier::optim
