#pragma once

#include <string_view>

#include "core/operation.h"
#include "ops/loss_internal.h"

namespace espalier {

// What losses over classes share: scores are [..., classes], targets [...] class indices.

/// Throws TypeError and ShapeError unless scores, index targets and weights (which may be undefined) fit.
void check_class_loss(std::string_view name, Inputs inputs, const Tensor& scores, const Tensor& targets,
                      const Tensor& weight);
/// The part that concerns the weights of the classes.
void check_class_weight(std::string_view name, Inputs inputs, const Tensor& scores, const Tensor& weight);

/// `scores` with its class axis last, in row-major memory. Throws ValueError for an undefined tensor,
/// ShapeError for an axis out of range.
Tensor classes_last(std::string_view name, const Tensor& scores, int64_t class_axis);

/// Throws GradientError for weights that want a gradient, which losses do not give; returns them in row-major
/// memory.
Tensor class_weight(std::string_view name, const Tensor& weight);

/// One-hot rows [..., classes] times the classes' weights, if any; zeros where a target is `ignored`.
Tensor weighted_one_hot(const Tensor& targets, const Tensor& weight, int64_t ignored, int64_t classes,
                        Dtype dtype);

}  // namespace espalier
