#include "core/operation.h"

#include <string>

#include "core/error.h"

namespace espalier {

BackwardContext::~BackwardContext() = default;
Operation::~Operation() = default;
PreparedKernel::~PreparedKernel() = default;

size_t PreparedKernel::scratch_bytes() const {
  return 0;
}

uint32_t Operation::optional_inputs() const {
  return 0;
}

Tensors Operation::backward(const BackwardContext&) const {
  throw GradientError(name(),
                      "this operation has no gradient; detach() its inputs or compute it under NoGrad");
}

SavedForBackward Operation::saved_for_backward() const {
  return {};
}
bool Operation::differentiable(int) const {
  return true;
}
bool Operation::decomposable() const {
  return false;
}

Tensors Operation::decompose(Inputs) const {
  throw GradientError(name(), "this operation has no decomposition into simple operations");
}

Cost Operation::cost(Inputs inputs, std::span<const OutputSpec> outputs) const {
  Cost cost;
  for (const Tensor& input : inputs) {
    if (input.defined()) cost.bytes += input.numel() * static_cast<int64_t>(size_of(input.dtype()));
  }
  for (const OutputSpec& output : outputs) {
    if (output.kind == OutputSpec::Kind::view) continue;
    const int64_t elements = count(output.shape);
    cost.flops += elements;
    cost.bytes += elements * static_cast<int64_t>(size_of(output.dtype));
  }
  return cost;
}

std::vector<AxisTie> Operation::axis_ties(Inputs) const {
  return {};
}
AutocastRule Operation::autocast_rule() const {
  return AutocastRule::keep;
}
uint32_t Operation::channels_last_inputs() const {
  return 0;
}
void Operation::visit_attributes(AttributeVisitor&) {}

void check_defined(std::string_view where, Inputs inputs) {
  for (size_t i = 0; i < inputs.size(); ++i) {
    if (inputs[i].defined()) continue;
    throw ValueError(where, "input " + std::to_string(i) + " is undefined (inputs " + describe(inputs) +
                                "); expected a tensor");
  }
}

}  // namespace espalier
