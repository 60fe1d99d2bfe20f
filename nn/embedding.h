#pragma once

#include "nn/visit.h"
#include "ops/random.h"

namespace espalier::nn {

/// A table of vectors, one a class: indices [...] to [..., width]. Parameter: `weight` [count, width],
/// initially normal with deviation 1, as in PyTorch.
struct ESPALIER_API Embedding {
  Embedding(int64_t count, int64_t width, const Generator& from = {});

  Tensor operator()(const Tensor& indices) const;
  void visit(Visitor& visitor) { visitor("weight", weight); }

  Tensor weight;
};

}  // namespace espalier::nn
