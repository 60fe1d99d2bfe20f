#pragma once

#include "core/operation.h"

namespace espalier {

/// `tensor` with its elements converted, row-major, for use inside a kernel: no listener is told.
Tensor converted(const Tensor& tensor, Dtype dtype);

/// `tensor` copied to row-major memory, for use inside a kernel: no listener is told.
Tensor packed(const Tensor& tensor);

/// Whether elements are computed in f32 and rounded when they are stored.
inline bool is_narrow(Dtype dtype) noexcept {
  return dtype == Dtype::f16 || dtype == Dtype::bf16;
}

/// Overwrites `to` with the converted elements of `from`, of the same shape.
void convert_into(const Tensor& to, const Tensor& from);

/// Calls `run(inputs, outputs)` with f32 tensors in place of the f16 and bf16 ones, and rounds what it puts
/// out: kernels of heavy operations, next to which a conversion of all operands is cheap.
template <class Run>
void run_in_f32(Inputs inputs, Outputs outputs, Run&& run) {
  Tensors wide_inputs(inputs.size()), wide_outputs(outputs.size());
  for (size_t i = 0; i < inputs.size(); ++i) {
    const bool narrow = inputs[i].defined() && is_narrow(inputs[i].dtype());
    wide_inputs[i] = narrow ? converted(inputs[i], Dtype::f32) : inputs[i];
  }
  for (size_t i = 0; i < outputs.size(); ++i) {
    const bool narrow = is_narrow(outputs[i].dtype());
    wide_outputs[i] =
        narrow ? empty_strided(outputs[i].shape(), outputs[i].strides(), Dtype::f32) : outputs[i];
  }
  run(Inputs(wide_inputs), Outputs(wide_outputs));
  for (size_t i = 0; i < outputs.size(); ++i) {
    if (!wide_outputs[i].is(outputs[i])) convert_into(outputs[i], wide_outputs[i]);
  }
}

}  // namespace espalier
