#pragma once

#include <optional>

#include "ops/conv2d.h"
#include "runtime/graph.h"

namespace espalier::runtime {

/// A convolution or linear layer that 8-bit integers can compute, with what is fused into it.
struct QuantizableLayer {
  ValueId x, weight, bias, residual, y;  ///< bias and residual may be absent
  std::optional<Conv2dOptions> conv;     ///< of a convolution
  bool relu;
};

/// The node as such a layer, if it is one.
std::optional<QuantizableLayer> quantizable_layer(const Graph& graph, const Node& node);

}  // namespace espalier::runtime
