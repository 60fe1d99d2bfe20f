#pragma once

#include <optional>

#include "nn/visit.h"

namespace espalier::nn {

/// Divides by the root of the mean square over the last axes: espalier::rms_norm. Parameter: `weight`, of the
/// normalised shape, ones at first; undefined where the layer has none.
struct ESPALIER_API RMSNorm {
  /// Without `epsilon`, rms_norm's own; see there.
  explicit RMSNorm(const Shape& normalized_shape_, std::optional<double> epsilon_ = {},
                   bool with_weight = true);
  explicit RMSNorm(int64_t width, std::optional<double> epsilon_ = {}, bool with_weight = true)
      : RMSNorm(Shape{width}, epsilon_, with_weight) {}

  Tensor operator()(const Tensor& x) const;
  void visit(Visitor& visitor) { visitor("weight", weight); }

  Shape normalized_shape;
  Tensor weight;
  std::optional<double> epsilon;
};

}  // namespace espalier::nn
