#pragma once

#include "core/kernel.h"
#include "ops/element_loss_internal.h"
#include "ops/reduction_body_internal.h"

namespace espalier {

using Specs = std::span<const Tensor>;
using Prepared = std::unique_ptr<const PreparedKernel>;

}  // namespace espalier

/// A kernel that declines some problems, needs memory for itself, and can be made ready: its declaration, and
/// its place in a list.
#define ESPALIER_DECLARE_KERNEL(Op, stem)                \
  const char* stem##_declines(const Op&, Inputs, Specs); \
  size_t stem##_scratch(const Op&, Inputs, Specs);       \
  void stem(const Op&, Inputs, Outputs, void* scratch);  \
  Prepared prepare_##stem(const Op&, Inputs, Specs, uint32_t constants)
#define ESPALIER_PREPARED_KERNEL(Op, stem, name) \
  kernel<Op, stem, stem##_declines, prepare_##stem, stem##_scratch>(name)

// The list of an operation that has one kernel, which takes everything: `void stem_cpu(const Op&, Inputs,
// Outputs)`. Each defines Op::slot; they differ in the name that ESPALIER_LOG=dispatch prints.

#define ESPALIER_ONLY_KERNEL(Op, stem, name)                                        \
  void stem##_cpu(const Op&, Inputs, Outputs);                                      \
  static constexpr Kernel only_kernel_of_##stem[] = {kernel<Op, stem##_cpu>(name)}; \
  constinit KernelSlot Op::slot{only_kernel_of_##stem};

/// The same where the kernel needs memory for itself, `void stem_cpu(const Op&, Inputs, Outputs, void*
/// scratch)`, and the function `scratch` says how much.
#define ESPALIER_ONLY_KERNEL_WITH(Op, stem, name, scratch)      \
  void stem##_cpu(const Op&, Inputs, Outputs, void*);           \
  static constexpr Kernel only_kernel_of_##stem[] = {           \
      kernel<Op, stem##_cpu, nullptr, nullptr, scratch>(name)}; \
  constinit KernelSlot Op::slot{only_kernel_of_##stem};

/// The same where that function is `size_t stem_scratch(const Op&, Inputs, Specs)`.
#define ESPALIER_KERNEL_WITH_SCRATCH(Op, stem, name) \
  size_t stem##_scratch(const Op&, Inputs, Specs);   \
  ESPALIER_ONLY_KERNEL_WITH(Op, stem, name, stem##_scratch)

/// Vectorised with Highway, of an operation that reduces axes, and of one that is an ElementLoss.
#define ESPALIER_REDUCTION_KERNEL(Op, stem) \
  ESPALIER_ONLY_KERNEL_WITH(Op, stem, "highway", scratch_of_reduction)
#define ESPALIER_LOSS_KERNEL(Op, stem) ESPALIER_ONLY_KERNEL_WITH(Op, stem, "highway", scratch_of_loss)

/// Vectorised with Highway.
#define ESPALIER_VECTORISED_KERNEL(Op, stem) ESPALIER_ONLY_KERNEL(Op, stem, "highway")
/// The same element by element: see Kernel::elementwise.
#define ESPALIER_CHAINABLE_KERNEL(Op, stem)                                                           \
  void stem##_cpu(const Op&, Inputs, Outputs);                                                        \
  static constexpr Kernel only_kernel_of_##stem[] = {elementwise(kernel<Op, stem##_cpu>("highway"))}; \
  constinit KernelSlot Op::slot{only_kernel_of_##stem};
/// Plain loops.
#define ESPALIER_PLAIN_KERNEL(Op, stem) ESPALIER_ONLY_KERNEL(Op, stem, "plain")
/// A routine of LAPACK.
#define ESPALIER_LAPACK_KERNEL(Op, stem) ESPALIER_ONLY_KERNEL(Op, stem, "lapack")
