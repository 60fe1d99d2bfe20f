#pragma once

#include <string_view>
#include <vector>

#include "core/operation.h"

namespace espalier {

/// Checks an optimiser's update: the first `operands` inputs are a parameter, its gradient and the tensors of
/// its state, of one shape and one type (f64, f32, f16 or bf16); undefined ones are passed over. Behind them
/// comes a rate (check_rate). A gradient is read, the others are updated: adds their outputs.
void infer_update(std::string_view name, Inputs inputs, int operands, OutputSpecs& outputs);

/// Throws unless `rate` is a tensor without axes of type f64 or f32: a number that may change from step to
/// step. `what` names it.
void check_rate(std::string_view name, std::string_view what, const Tensor& rate);

/// Adds the output of a step count: a tensor without axes of type i64, input `index`. Throws for another.
void infer_step_count(std::string_view name, Inputs inputs, int index, OutputSpecs& outputs);
/// Counts one step more and returns the new count, at the memory of a step count's output. Throws ValueError
/// for a negative one.
double count_step(std::string_view name, const Tensor& step);

/// Every axis shrinks together in the parameter, its gradient, its state and the outputs.
std::vector<AxisTie> update_ties(Inputs operands);

}  // namespace espalier
