#pragma once

#include "core/tensor.h"

namespace espalier {

/// The row-major numbers of the elements of `mask`, on the host, that are true: i64[count].
Tensor true_places(const Tensor& mask);

}  // namespace espalier
