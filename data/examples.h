#pragma once

#include <cstdint>
#include <span>

#include "core/tensor.h"

namespace espalier::data {

/// Labelled examples: what lies at the same place along the first axis of both belongs together.
struct Examples {
  Tensor inputs;
  Tensor labels;  ///< class numbers, i64, unless a data set or transform says otherwise

  int64_t size() const { return inputs.defined() ? inputs.size(0) : 0; }
};

/// A data set cut in two.
struct Split {
  Examples train;
  Examples test;
};

/// The rows (along the first axis) with these numbers, copied, in this order. Throws ValueError for a row
/// that is not there.
ESPALIER_API Tensor take_rows(const Tensor& tensor, std::span<const int64_t> rows);

}  // namespace espalier::data
