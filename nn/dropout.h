#pragma once

#include "nn/visit.h"
#include "ops/dropout.h"
#include "ops/random.h"

namespace espalier::nn {

/// In training, sets each element to zero with probability `p` and scales the others by 1 / (1 - p); in
/// evaluation, passes its input on. Srivastava et al., "Dropout: a simple way to prevent neural networks from
/// overfitting" (2014).
struct ESPALIER_API Dropout {
  explicit Dropout(double probability = 0.5, const Generator& from = {}) : p(probability), generator(from) {}

  Tensor operator()(const Tensor& x) const { return training ? dropout(x, p, generator) : x; }
  void visit(Visitor& visitor) { visitor.training(training); }

  double p;
  Generator generator;
  bool training = true;
};

}  // namespace espalier::nn
