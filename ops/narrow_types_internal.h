#pragma once

#include "core/operation.h"
#include "ops/scratch_internal.h"

namespace espalier {

/// Whether elements are computed in f32 and rounded when they are stored.
inline bool is_narrow(Dtype dtype) noexcept {
  return dtype == Dtype::f16 || dtype == Dtype::bf16;
}

/// The reason to decline, or null, of heavy kernels, which exist in f64 and f32 and take f16 and bf16 by
/// conversion.
inline const char* declines_all_but_floats(Dtype dtype) {
  return dtype == Dtype::f64 || dtype == Dtype::f32 || is_narrow(dtype) ? nullptr
                                                                        : "only f64, f32, f16 and bf16";
}

/// Calls `run(inputs, outputs)` with f32 tensors in place of the f16 and bf16 ones, and rounds what it puts
/// out: for heavy operations, next to which a conversion of all operands is cheap.
template <class Run>
void run_in_f32(Inputs inputs, Outputs outputs, Run&& run) {
  Tensors wide_inputs(inputs.size()), wide_outputs(outputs.size());
  for (size_t i = 0; i < inputs.size(); ++i) {
    const bool narrow = inputs[i].defined() && is_narrow(inputs[i].dtype());
    wide_inputs[i] = narrow ? row_major_f32(inputs[i]) : inputs[i];
  }
  for (size_t i = 0; i < outputs.size(); ++i) {
    wide_outputs[i] = is_narrow(outputs[i].dtype()) ? empty(outputs[i].shape()) : outputs[i];
  }
  run(Inputs(wide_inputs), Outputs(wide_outputs));
  for (size_t i = 0; i < outputs.size(); ++i) {
    if (is_narrow(outputs[i].dtype())) store_f32(wide_outputs[i], outputs[i]);
  }
}

/// The kernel of an operation in f64 and f32, of a `Work<T>` as scratch_of() describes it; f16 and bf16 by
/// conversion.
template <template <class> class Work>
struct FloatKernel {
  template <class Op>
  static size_t scratch(const Op& op, Inputs inputs, std::span<const Tensor> outputs) {
    const Dtype dtype = inputs[0].dtype();
    if (dtype == Dtype::f64) return scratch_of<Work<double>>(op, inputs, outputs);
    return dtype == Dtype::f32 ? scratch_of<Work<float>>(op, inputs, outputs) : 0;
  }

  template <class Op>
  static void run(const Op& op, Inputs inputs, Outputs outputs, void* scratch) {
    if (inputs[0].dtype() == Dtype::f64) return run_with<Work<double>>(scratch, op, inputs, outputs);
    if (inputs[0].dtype() == Dtype::f32) return run_with<Work<float>>(scratch, op, inputs, outputs);
    run_in_f32(inputs, outputs, [&](Inputs in, Outputs out) {
      const Scratch own(scratch_of<Work<float>>(op, in, out));
      run_with<Work<float>>(own.get(), op, in, out);
    });
  }
};

}  // namespace espalier
