#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "core/tensor.h"

namespace espalier::io {

/// How the finite elements of a tensor are distributed. Bucket i holds those from `limits[i - 1]` to under
/// `limits[i]`, the first one those from `min` on; the outer buckets are not empty, unless there is just one
/// for no elements.
struct EventHistogram {
  double min = 0, max = 0, sum = 0, sum_squares = 0;
  int64_t finite = 0, not_finite = 0;
  std::vector<double> limits, counts;
};

/// Limits are 1e-12, each next one a tenth larger, up to 1e20, the same below 0, 0 and the largest double:
/// the buckets that TensorFlow's histograms have. Throws ValueError and DeviceError on behalf of `where`.
EventHistogram histogram_of(const Tensor& tensor, const std::string& where);

}  // namespace espalier::io
