#pragma once

#include <functional>
#include <vector>

#include "core/tensor.h"

namespace espalier {

/// The outputs of `f(inputs)`, computed without keeping what its backward would need: only the inputs are
/// kept, and backward runs `f` again to get the rest, segment by segment. T. Chen et al., "Training deep nets
/// with sublinear memory cost", arXiv:1604.06174 (2016). Results and gradients have the same bits as without;
/// so do random numbers that `f` draws through generators, whose states are put back for the second run (no
/// other thread may draw from them meanwhile). Tensors that `f` captures (parameters, say) get their
/// gradients too, checkpoints may be nested, and gradients can be differentiated again.
///
/// `f` must do the same when it runs again: what it captures must live and keep its values until backward
/// (the last run frees it), and buffers that it updates, running statistics say, are updated twice. `f` sees
/// its inputs without gradient links in the first run, so it must not take gradients itself. Under NoGrad, or
/// where nothing requires a gradient, this is a call of `f`.
///
/// Throws ValueError for an empty `f`, an undefined output, or more than 32 inputs or outputs; GradientError
/// where `f` changes one of its inputs in place or records a gradient by EnableGrad inside a NoGrad; and from
/// backward GradientError where an input was changed since or the second run gives other outputs than the
/// first, in number, shape or type.
ESPALIER_API std::vector<Tensor> checkpoint(
    const std::function<std::vector<Tensor>(const std::vector<Tensor>&)>& f,
    const std::vector<Tensor>& inputs);

/// Whether the calling thread is in a second run of a checkpoint's function.
ESPALIER_API bool recomputing() noexcept;

/// The same for a function of one tensor.
ESPALIER_API Tensor checkpoint(const std::function<Tensor(const Tensor&)>& f, const Tensor& input);

}  // namespace espalier
