#pragma once

#include "nn/visit.h"
#include "ops/reshape.h"

namespace espalier::nn {

/// Joins the axes from `first` to `last`, both included, to one; by default all but the batch.
struct Flatten {
  explicit Flatten(int64_t first_ = 1, int64_t last_ = -1) : first(first_), last(last_) {}
  Tensor operator()(const Tensor& x) const { return flatten(x, first, last); }
  void visit(Visitor&) {}

  int64_t first, last;
};

/// Passes its input on: what stands where a layer was taken out.
struct Identity {
  Tensor operator()(const Tensor& x) const { return x; }
  void visit(Visitor&) {}
};

}  // namespace espalier::nn
