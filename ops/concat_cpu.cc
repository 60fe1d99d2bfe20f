#include "core/strided_copy_internal.h"
#include "ops/concat.h"

namespace espalier {

void concat_cpu(const Concat& op, Inputs inputs, Outputs outputs) {
  const Tensor& output = outputs[0];
  const int axis = op.axis(output.rank());
  const size_t element = size_of(output.dtype());
  auto* to = static_cast<char*>(output.raw_data());
  for (const Tensor& input : inputs) {
    copy_strided(to, output.strides(), input.raw_data(), input.strides(), input.shape(), element);
    to += input.shape()[axis] * output.strides()[axis] * static_cast<int64_t>(element);
  }
}

}  // namespace espalier
