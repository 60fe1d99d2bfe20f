#pragma once

#include "core/kernel.h"

// The list of an operation that has one kernel, which takes everything: `void stem_cpu(const Op&, Inputs,
// Outputs)`. Each defines Op::slot; they differ in the name that ESPALIER_LOG=dispatch prints.

#define ESPALIER_ONLY_KERNEL(Op, stem, name)                                        \
  void stem##_cpu(const Op&, Inputs, Outputs);                                      \
  static constexpr Kernel only_kernel_of_##stem[] = {kernel<Op, stem##_cpu>(name)}; \
  constinit KernelSlot Op::slot{only_kernel_of_##stem};

/// Vectorised with Highway.
#define ESPALIER_VECTORISED_KERNEL(Op, stem) ESPALIER_ONLY_KERNEL(Op, stem, "highway")
/// Plain loops.
#define ESPALIER_PLAIN_KERNEL(Op, stem) ESPALIER_ONLY_KERNEL(Op, stem, "plain")
/// A routine of LAPACK.
#define ESPALIER_LAPACK_KERNEL(Op, stem) ESPALIER_ONLY_KERNEL(Op, stem, "lapack")
