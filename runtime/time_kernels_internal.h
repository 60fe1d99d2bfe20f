#pragma once

#include <optional>
#include <string>

#include "core/operation.h"
#include "runtime/kernel_choices.h"

namespace espalier::runtime {

/// What KernelChoices calls an operation on such inputs, of which bit n of `constants` says that input n is
/// constant, with so many threads. Elements are not looked at.
std::string problem_text(const Operation& operation, Inputs inputs, uint32_t constants, int threads);

/// The kernel that `choices` has for the operation on these tensors, after timing the contenders where it has
/// none yet; the usual one where there is nothing to choose. Tensors are as Kernel::prepare() takes them;
/// those that share a storage share memory.
const Kernel& choose_timed_kernel(const Operation& operation, Inputs inputs, Outputs outputs,
                                  uint32_t constants, KernelChoices& choices);

/// How long the operation takes with the fastest kernel, in seconds, on num_threads() threads: what `choices`
/// has, after timing where it has nothing. Absent where it cannot be timed.
std::optional<double> kernel_seconds(const Operation& operation, Inputs inputs, Outputs outputs,
                                     uint32_t constants, KernelChoices& choices);

}  // namespace espalier::runtime
