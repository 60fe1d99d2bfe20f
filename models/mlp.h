#pragma once

#include <cstdint>
#include <vector>

#include "nn/linear.h"

/// Networks that are known by name, with the parameter names of their publications or of PyTorch's files.
namespace espalier::models {

/// Linear layers with ReLU between them: Mlp({784, 100, 10}) has two. Inputs [..., first width] to [..., last
/// width].
struct ESPALIER_API Mlp {
  /// Throws ValueError for fewer than two widths, and what nn::Linear does.
  explicit Mlp(const std::vector<int64_t>& widths);

  Tensor operator()(const Tensor& x) const;
  void visit(nn::Visitor& visitor);

  std::vector<nn::Linear> layers;
};

}  // namespace espalier::models
