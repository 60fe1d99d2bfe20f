#pragma once

#include "core/door.h"

namespace espalier {

// Functions whose result's shape depends on the values: they read the elements on the host, so they throw
// DeviceError on another device (meta included), and a captured graph cannot hold them.

/// The indices of the elements that are not zero, in row-major order: i64[count, rank]. NaN is not zero.
ESPALIER_API Tensor nonzero(const Tensor& x);

/// The elements of `x` where `mask`, a bool tensor, is true, in row-major order, as one axis; the two
/// broadcast. Differentiable with respect to x. Throws TypeError for a mask of another type, ShapeError where
/// the shapes do not agree.
ESPALIER_API Tensor masked_select(const Tensor& x, const Tensor& mask);

}  // namespace espalier
