#pragma once

#include <cstdint>
#include <functional>

#include "core/tensor.h"

namespace espalier::optim {

/// Where a line search has been: a step along the direction, the loss there, the gradient and its component
/// along the direction.
struct LinePoint {
  double step;
  double loss;
  double slope;
  Tensor gradient;
};

struct LineSearch {
  double sufficient_decrease = 1e-4;  ///< c1 of the Wolfe conditions; Nocedal and Wright's values
  double curvature = 0.9;             ///< c2
  double least_change = 1e-9;         ///< of a parameter: a smaller bracket is not searched
  int64_t max_evaluations = 25;
};

struct LineSearchResult {
  LinePoint point;
  int64_t evaluations;
};

/// A step that satisfies the strong Wolfe conditions along a direction of descent, or the best one met:
/// Nocedal and Wright, "Numerical optimization" (2006), algorithms 3.5 and 3.6, with cubic interpolation and
/// the safeguards of minFunc (Schmidt 2005), which torch.optim.LBFGS has, too. `start` is at step 0;
/// `evaluate(step)` computes a point; `largest` is the largest magnitude in the direction.
LineSearchResult strong_wolfe(const LineSearch& search, const LinePoint& start, double first_step,
                              double largest, const std::function<LinePoint(double step)>& evaluate);

}  // namespace espalier::optim
