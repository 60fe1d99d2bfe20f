#pragma once

#include "core/door.h"
#include "ops/activation.h"
#include "ops/scratch_internal.h"

namespace espalier {

/// An operation inside another one's kernel: by the kernel that the door would choose, with memory from the
/// kernel's own. `operation` must outlive it.
class InnerKernel {
 public:
  InnerKernel(const Operation& operation, Inputs inputs, std::span<const Tensor> outputs, Workspace& work);
  void run() const;

 private:
  const Operation& operation_;
  Inputs inputs_;
  std::span<const Tensor> outputs_;
  const Kernel& kernel_;
  void* scratch_;
};

/// A fused product, of inputs x, weight, bias and residual, one operation after the other. Each rounds to the
/// type of the tensors. `scratch` has product_apart_scratch().
void product_apart(const Operation& product, Activation activation, Inputs inputs,
                   std::span<const Tensor> outputs, void* scratch);
size_t product_apart_scratch(const Operation& product, Activation activation, Inputs inputs,
                             std::span<const Tensor> outputs);

/// y = activation(y), on the CPU.
void activate_in_place(const Tensor& y, Activation activation);

}  // namespace espalier
