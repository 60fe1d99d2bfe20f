#include "ops/global_norm.h"

#include <string>

#include "core/error.h"
#include "ops/loss_internal.h"
#include "ops/update_internal.h"

namespace espalier {
namespace {

void check_limit(std::string_view name, std::string_view what, double limit) {
  if (limit >= 0) return;
  throw ValueError(name,
                   "the " + std::string(what) + " is " + std::to_string(limit) + "; expected 0 or more");
}

}  // namespace

void GlobalNorm::infer(Inputs inputs, OutputSpecs& outputs) const {
  for (const Tensor& input : inputs) check_loss_type(kName, input.dtype(), inputs);
  outputs.push_back(OutputSpec::fresh({}, Dtype::f64));
}

Cost GlobalNorm::cost(Inputs inputs, std::span<const OutputSpec> outputs) const {
  int64_t elements = 0;
  for (const Tensor& input : inputs) elements += input.numel();
  return {2 * elements, Operation::cost(inputs, outputs).bytes};
}

Tensor global_norm(std::span<const Tensor> tensors) {
  if (tensors.empty()) throw ValueError(GlobalNorm::kName, "there are no tensors");
  return apply(GlobalNorm(), tensors)[0];
}

void ClipByNorm::infer(Inputs inputs, OutputSpecs& outputs) const {
  check_limit(kName, "greatest norm", max_norm_);
  check_loss_type(kName, inputs[0].dtype(), inputs);
  check_rate(kName, "norm", inputs[1]);
  outputs.push_back(OutputSpec::update(0, inputs[0]));
}

std::vector<AxisTie> ClipByNorm::axis_ties(Inputs inputs) const {
  return update_ties(inputs.first(1));
}

void clip_by_norm_(const Tensor& tensor, const Tensor& norm, double max_norm) {
  apply(ClipByNorm(max_norm), {tensor, norm});
}

void ClipByValue::infer(Inputs inputs, OutputSpecs& outputs) const {
  check_limit(kName, "limit", limit_);
  check_loss_type(kName, inputs[0].dtype(), inputs);
  outputs.push_back(OutputSpec::update(0, inputs[0]));
}

std::vector<AxisTie> ClipByValue::axis_ties(Inputs inputs) const {
  return update_ties(inputs.first(1));
}

void clip_by_value_(const Tensor& tensor, double limit) {
  apply(ClipByValue(limit), {tensor});
}

}  // namespace espalier
