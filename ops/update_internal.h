#pragma once

#include <string_view>
#include <vector>

#include "core/operation.h"

namespace espalier {

/// Checks an optimiser's update: `inputs` begin with a parameter and its gradient, then come the tensors of
/// its state, `operands` in all, of one shape and one type (f64, f32, f16 or bf16); behind them a learning
/// rate of type f64 or f32 without axes. A gradient is read, the others are updated: adds their outputs.
void infer_update(std::string_view name, Inputs inputs, int operands, OutputSpecs& outputs);

/// Every axis shrinks together in the parameter, its gradient, its state and the outputs.
std::vector<AxisTie> update_ties(const Tensor& parameter, int operands);

}  // namespace espalier
