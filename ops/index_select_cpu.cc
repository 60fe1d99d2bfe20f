#include "ops/index_select.h"
#include "ops/indexed_elements_internal.h"
#include "ops/scratch_internal.h"

namespace espalier {
namespace {

/// The indices along `axis` of `shape`, the same for all other coordinates.
LocalTensor spread(const Tensor& indices, const Shape& shape, int axis) {
  Strides strides = Dims::filled(shape.rank(), 0);
  strides[axis] = indices.strides()[0];
  return LocalTensor(indices.raw_data(), indices.dtype(), shape, strides);
}

}  // namespace

void index_select_cpu(const IndexSelect& op, Inputs inputs, Outputs outputs) {
  const int axis = op.axis(inputs[0].rank());
  if (!gather_elements(outputs[0], inputs[0], axis, spread(inputs[1], outputs[0].shape(), axis)))
    throw_outside(IndexSelect::kName, inputs[1], inputs[0].shape()[axis], axis);
}

size_t index_add_scratch(const IndexAdd&, Inputs inputs, std::span<const Tensor> outputs) {
  return scratch_to_add(outputs[0], inputs[0], inputs[2]);
}
void index_add_cpu(const IndexAdd& op, Inputs inputs, Outputs outputs, void* scratch) {
  const int axis = op.axis(outputs[0].rank());
  const LocalTensor index = spread(inputs[1], inputs[2].shape(), axis);
  if (!add_elements(outputs[0], inputs[0], axis, index, inputs[2], scratch))
    throw_outside(IndexAdd::kName, inputs[1], outputs[0].shape()[axis], axis);
}

}  // namespace espalier
