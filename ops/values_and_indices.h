#pragma once

#include "core/tensor.h"

namespace espalier {

/// Elements picked along an axis and, of type i64, the places along it that they were picked from.
struct ValuesAndIndices {
  Tensor values;
  Tensor indices;
};

}  // namespace espalier
