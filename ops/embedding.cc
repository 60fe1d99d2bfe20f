#include "ops/embedding.h"

#include <string>

namespace espalier {
namespace {

void check_indices(std::string_view name, Inputs inputs) {
  if (inputs[1].dtype() != Dtype::i64 && inputs[1].dtype() != Dtype::i32)
    throw TypeError(name, "inputs " + describe(inputs) + "; expected indices of type i32 or i64");
}

}  // namespace

void Embedding::infer(Inputs inputs, OutputSpecs& outputs) const {
  const Tensor& weights = inputs[0];
  if (weights.rank() != 2)
    throw ShapeError(kName, "inputs " + describe(inputs) + "; expected weights of two axes, [V, D]");
  if (weights.dtype() >= Dtype::u16)
    throw TypeError(kName, "inputs " + describe(inputs) + ": u16, u32 and u64 only load and convert");
  check_indices(kName, inputs);
  Shape shape = inputs[1].shape();
  shape.push_back(weights.shape()[1]);
  checked_count(shape, kName);
  outputs.push_back(OutputSpec::fresh(shape, weights.dtype()));
}

Tensors Embedding::backward(const BackwardContext& context) const {
  return {apply_one(EmbeddingBackward(context.input_shape(0)[0]), context.gradient(0), context.input(1)), {}};
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
  check_indices(kName, inputs);
  const Shape shape{rows_, gradient.back()};
  checked_count(shape, kName);
  outputs.push_back(OutputSpec::fresh(shape, inputs[0].dtype()));
}

Tensors EmbeddingBackward::backward(const BackwardContext& context) const {
  return {embedding(context.gradient(0), context.input(1)), {}};
}

std::vector<AxisTie> EmbeddingBackward::axis_ties(Inputs inputs) const {
  return {{{{0, inputs[1].rank()}, {-1, 1}}}};
}

}  // namespace espalier
