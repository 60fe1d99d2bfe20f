#include "core/strided_copy_internal.h"
#include "ops/copy.h"

namespace espalier {

void copy_cpu(const Copy&, Inputs inputs, Outputs outputs) {
  copy_strided(outputs[0].raw_data(), outputs[0].strides(), inputs[0].raw_data(), inputs[0].strides(),
               inputs[0].shape(), size_of(inputs[0].dtype()));
}

void copy_into_cpu(const CopyInto&, Inputs inputs, Outputs outputs) {
  copy_strided(outputs[0].raw_data(), outputs[0].strides(), inputs[1].raw_data(), inputs[1].strides(),
               inputs[1].shape(), size_of(inputs[1].dtype()));
}

}  // namespace espalier
