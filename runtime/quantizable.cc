#include <set>

#include "ops/fused_conv2d.h"
#include "ops/fused_linear.h"
#include "ops/int8_product.h"
#include "ops/linear.h"
#include "runtime/quantizable_internal.h"
#include "runtime/quantize.h"
#include "runtime/readers_internal.h"

namespace espalier::runtime {

std::optional<QuantizableLayer> quantizable_layer(const Graph& graph, const Node& node) {
  QuantizableLayer layer{};
  if (const auto* conv = as<Conv2d>(node)) {
    layer.conv = conv->options();
  } else if (const auto* fused_conv = as<FusedConv2d>(node)) {
    layer.conv = fused_conv->options().conv;
    layer.relu = fused_conv->options().relu;
  } else if (const auto* fused_linear = as<FusedLinear>(node)) {
    layer.relu = fused_linear->activation() == Activation::relu;
    if (!layer.relu && fused_linear->activation() != Activation::none) return {};
  } else if (!as<Linear>(node)) {
    return {};
  }
  layer.x = node.inputs[0];
  layer.weight = node.inputs[1];
  layer.bias = node.inputs[2];
  layer.residual = node.inputs.size() > 3 ? node.inputs[3] : kAbsent;
  layer.y = node.outputs[0];
  const Tensor* const weight = constant(graph, layer.weight);
  // A convolution with groups multiplies too little by each number that it reads for bytes to pay.
  if (!weight || weight->dtype() != Dtype::f32 || weight->numel() == 0 ||
      (layer.bias != kAbsent && !constant(graph, layer.bias)) || (layer.conv && layer.conv->groups != 1) ||
      weight->numel() / weight->size(0) > kMostInt8Products || graph.value(layer.y).type.numel() == 0)
    return {};
  return layer;
}

std::vector<ValueId> quantizable_values(const Graph& graph) {
  std::set<ValueId> values;
  for (const Node& node : graph.nodes()) {
    const auto layer = quantizable_layer(graph, node);
    if (!layer) continue;
    values.insert({layer->x, layer->y});
    if (layer->residual != kAbsent) values.insert(layer->residual);
  }
  return {values.begin(), values.end()};
}

}  // namespace espalier::runtime
