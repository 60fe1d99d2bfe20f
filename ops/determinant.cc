#include "ops/determinant.h"

#include "ops/linalg_internal.h"
#include "ops/multiply.h"
#include "ops/permute.h"
#include "ops/promotion.h"
#include "ops/reshape.h"
#include "ops/solve.h"

namespace espalier {
namespace {

/// A^-T, weighted matrix by matrix.
Tensor weighted_inverse(const Tensor& weights, const Tensor& a) {
  return unsqueeze(unsqueeze(weights, -1), -1) * transpose(inverse(a), -2, -1);
}

Cost factorisation_cost(Inputs inputs, Cost cost) {
  cost.flops = inputs[0].numel() * inputs[0].size(-1) * 2 / 3;
  return cost;
}

}  // namespace

void Determinant::infer(Inputs inputs, OutputSpecs& outputs) const {
  check_square(kName, inputs, 0);
  outputs.push_back(OutputSpec::fresh(batch_shape(inputs[0].shape()), inputs[0].dtype()));
}

Tensors Determinant::backward(const BackwardContext& context) const {
  return {weighted_inverse(context.gradient(0) * context.output(0), context.input(0))};
}

Cost Determinant::cost(Inputs inputs, std::span<const OutputSpec> outputs) const {
  return factorisation_cost(inputs, Operation::cost(inputs, outputs));
}

std::vector<AxisTie> Determinant::axis_ties(Inputs inputs) const {
  return batch_ties(inputs, 1);
}

void LogDeterminant::infer(Inputs inputs, OutputSpecs& outputs) const {
  check_square(kName, inputs, 0);
  for (int i = 0; i < 2; ++i)
    outputs.push_back(OutputSpec::fresh(batch_shape(inputs[0].shape()), inputs[0].dtype()));
}

Tensors LogDeterminant::backward(const BackwardContext& context) const {
  return {weighted_inverse(context.gradient(1), context.input(0))};
}

Cost LogDeterminant::cost(Inputs inputs, std::span<const OutputSpec> outputs) const {
  return factorisation_cost(inputs, Operation::cost(inputs, outputs));
}

std::vector<AxisTie> LogDeterminant::axis_ties(Inputs inputs) const {
  return batch_ties(inputs, 2);
}

Tensor determinant(const Tensor& a) {
  check_defined(Determinant::kName, a);
  return apply_one(Determinant(), promoted_to_floating(Determinant::kName, a));
}

SignAndLog slogdet(const Tensor& a) {
  check_defined(LogDeterminant::kName, a);
  Tensors outputs = apply(LogDeterminant(), {promoted_to_floating(LogDeterminant::kName, a)});
  return {std::move(outputs[0]), std::move(outputs[1])};
}

}  // namespace espalier
