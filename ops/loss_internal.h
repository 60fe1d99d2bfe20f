#pragma once

#include <string_view>

#include "core/door.h"
#include "ops/loss.h"

namespace espalier {

/// Throws TypeError unless `type` is one that losses and updates are computed for: f64, f32, f16 or bf16.
void check_loss_type(std::string_view name, Dtype type, Inputs inputs);

/// Throws TypeError unless all inputs are of one such type; ValueError for an undefined one.
void check_loss_types(std::string_view name, Inputs inputs);
/// The same, and ShapeError unless they are of one shape.
void check_loss_inputs(std::string_view name, Inputs inputs);

/// f16 and bf16 as f32, for compositions that would overflow or round at each step.
Tensor widened(const Tensor& x);

/// Throws ValueError unless `value`, the option `option` of a loss, is finite and not negative, or, where it
/// must be `positive`, above 0.
void check_loss_option(std::string_view name, std::string_view option, double value, bool positive = false);

/// Throws ValueError for a margin that is not finite.
void check_margin(std::string_view name, double margin);

/// The indices, in the axes of `shape`, of element `index` in row-major order: for error messages.
Dims position_of(int64_t index, const Shape& shape);

/// The terms of a loss brought together, with simple operations.
Tensor reduced_loss(const Tensor& terms, LossReduction reduction);

/// The terms times weights that broadcast against them, brought together. Throws ShapeError, on behalf of
/// `name`, where they do not.
Tensor weighted_loss(std::string_view name, const Tensor& terms, const Tensor& weight,
                     LossReduction reduction);

/// The gradient of each of `count` terms, from that of the loss: broadcasts against the terms.
Tensor term_gradient(const Tensor& gradient, LossReduction reduction, int64_t count);

/// The gradients of a loss that is the same with predictions and targets exchanged.
template <class Backward>
Tensors symmetric_loss_gradients(const BackwardContext& context, const Backward& backward) {
  Tensors gradients(2);
  for (const int i : {0, 1}) {
    if (!context.wants(i)) continue;
    gradients[static_cast<size_t>(i)] =
        apply_one(backward, context.gradient(0), context.input(i), context.input(1 - i));
  }
  return gradients;
}

}  // namespace espalier
