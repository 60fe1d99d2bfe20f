#pragma once

#include <functional>
#include <string>
#include <vector>

#include "core/tensor.h"

namespace espalier {

struct GradientCheckOptions {
  double step =
      1e-5;  ///< of the central difference; its error is of order step^2, plus rounding of order 1e-16 / step
  double tolerance = 1e-6;    ///< allowed difference, relative to max(1, |numeric|)
  bool second_order = false;  ///< check the gradient of the gradient instead
};

/// Compares the gradients of `f` with central differences, element by element, and returns an empty string,
/// or a description of the first element that differs. `inputs` are f64; those that require a gradient are
/// varied. The outputs are weighted with fixed numbers, so that their whole Jacobian counts. Throws TypeError
/// for inputs of another type, GradientError where none requires a gradient.
ESPALIER_API std::string check_gradients(
    const std::function<std::vector<Tensor>(const std::vector<Tensor>&)>& f,
    const std::vector<Tensor>& inputs, const GradientCheckOptions& options = {});

}  // namespace espalier
