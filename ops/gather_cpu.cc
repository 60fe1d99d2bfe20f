#include "ops/gather.h"
#include "ops/indexed_elements_internal.h"

namespace espalier {

void gather_cpu(const Gather& op, Inputs inputs, Outputs outputs) {
  const int axis = op.axis(inputs[0].rank());
  if (!gather_elements(outputs[0], inputs[0], axis, inputs[1]))
    throw_outside(Gather::kName, inputs[1], inputs[0].shape()[axis], axis);
}

void scatter_cpu(const Scatter& op, Inputs inputs, Outputs outputs) {
  const int axis = op.axis(outputs[0].rank());
  if (!scatter_elements(outputs[0], inputs[0], axis, inputs[1], inputs[2]))
    throw_outside(Scatter::kName, inputs[1], outputs[0].shape()[axis], axis);
}

size_t scatter_add_scratch(const ScatterAdd&, Inputs inputs, std::span<const Tensor> outputs) {
  return scratch_to_add(outputs[0], inputs[0], inputs[2]);
}
void scatter_add_cpu(const ScatterAdd& op, Inputs inputs, Outputs outputs, void* scratch) {
  const int axis = op.axis(outputs[0].rank());
  if (!add_elements(outputs[0], inputs[0], axis, inputs[1], inputs[2], scratch))
    throw_outside(ScatterAdd::kName, inputs[1], outputs[0].shape()[axis], axis);
}

}  // namespace espalier
