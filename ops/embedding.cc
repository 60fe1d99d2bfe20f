#include "ops/embedding.h"

#include "ops/picking_internal.h"

namespace espalier {

void Embedding::infer(Inputs inputs, OutputSpecs& outputs) const {
  const Tensor& weights = inputs[0];
  if (weights.rank() != 2)
    throw ShapeError(kName, "inputs " + describe(inputs) + "; expected weights of two axes, [V, D]");
  if (weights.dtype() >= Dtype::u16)
    throw TypeError(kName, "inputs " + describe(inputs) + ": u16, u32 and u64 only load and convert");
  check_picking_index(kName, inputs);
  Shape shape = inputs[1].shape();
  shape.push_back(weights.shape()[1]);
  checked_count(shape, kName);
  outputs.push_back(OutputSpec::fresh(shape, weights.dtype()));
}

Tensors Embedding::backward(const BackwardContext& context) const {
  return {apply_one(EmbeddingBackward(context.input_shape(0)[0]), context.gradient(0), context.input(1)), {}};
}

Cost Embedding::cost(Inputs inputs, std::span<const OutputSpec> outputs) const {
  return cost_of_picking(inputs[1], outputs[0]);
}

std::vector<AxisTie> Embedding::axis_ties(Inputs inputs) const {
  std::vector<AxisTie> ties = {{{{0, 1}, {-1, inputs[1].rank()}}}};
  for (int i = 0; i < inputs[1].rank(); ++i) ties.push_back({{{1, i}, {-1, i}}});
  return ties;
}

Tensor embedding(const Tensor& weights, const Tensor& indices) {
  return apply_one(Embedding(), weights, indices);
}

void EmbeddingBackward::infer(Inputs inputs, OutputSpecs& outputs) const {
  const Shape& gradient = inputs[0].shape();
  const Shape& indices = inputs[1].shape();
  bool fits = gradient.rank() == indices.rank() + 1;
  for (int i = 0; fits && i < indices.rank(); ++i) fits = gradient[i] == indices[i];
  if (!fits) {
    throw ShapeError(kName, "inputs " + describe(inputs) +
                                "; expected a gradient with the axes of the indices and one more");
  }
  if (!is_floating(inputs[0].dtype()))
    throw TypeError(kName, "inputs " + describe(inputs) + "; expected a gradient of a floating type");
  check_picking_index(kName, inputs);
  const Shape shape{rows_, gradient.back()};
  checked_count(shape, kName);
  outputs.push_back(OutputSpec::fresh(shape, inputs[0].dtype()));
}

Tensors EmbeddingBackward::backward(const BackwardContext& context) const {
  return {embedding(context.gradient(0), context.input(1)), {}};
}

Cost EmbeddingBackward::cost(Inputs inputs, std::span<const OutputSpec> outputs) const {
  Cost cost = Operation::cost(inputs, outputs);
  cost.flops = inputs[0].numel();
  return cost;
}

std::vector<AxisTie> EmbeddingBackward::axis_ties(Inputs inputs) const {
  return {{{{0, inputs[1].rank()}, {-1, 1}}}};
}

}  // namespace espalier
