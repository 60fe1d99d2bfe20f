#pragma once

#include "core/kernel.h"

namespace espalier {

/// The list of an operation that has one kernel, which takes everything, vectorised with Highway.
template <class Op, auto run>
inline constexpr Kernel kVectorised[] = {kernel<Op, run>("highway")};

/// The same in plain loops.
template <class Op, auto run>
inline constexpr Kernel kPlain[] = {kernel<Op, run>("plain")};

/// The same by a routine of LAPACK.
template <class Op, auto run>
inline constexpr Kernel kLapack[] = {kernel<Op, run>("lapack")};

}  // namespace espalier
