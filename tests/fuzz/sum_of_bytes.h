#pragma once

#include <cstddef>
#include <numeric>
#include <span>

#include "core/tensor.h"

/// Reads a tensor to its last element, so that a sanitizer sees each byte.
inline unsigned sum_of_bytes(const espalier::Tensor& tensor) {
  const std::span bytes(static_cast<const unsigned char*>(tensor.raw_data()),
                        static_cast<std::size_t>(tensor.numel()) * espalier::size_of(tensor.dtype()));
  return std::accumulate(bytes.begin(), bytes.end(), 0u);
}
