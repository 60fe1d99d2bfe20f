#pragma once

#include <cstddef>

#include "core/tensor.h"

namespace espalier {

/// Copies `bytes` from the host's memory to the first element of `to`, and waits until they are there.
void copy_from_host(const Tensor& to, const void* from, size_t bytes);

/// `made`, dense and on the host, on `device`: itself, or a copy. Meta gives a shape without elements.
Tensor moved_from_host(const Tensor& made, Device device);

}  // namespace espalier
