#pragma once

#include <string_view>

#include "core/attributes.h"
#include "core/tensor.h"

namespace espalier {

/// What a product may do to each of its results before it writes it.
enum class Activation : uint8_t {
  none,
  relu,
  gelu_tanh,
  gelu_erf,
};

ESPALIER_API void visit_attribute(AttributeVisitor& visit, std::string_view name, Activation& activation);

/// The operation of that name; `x` itself for none.
ESPALIER_API Tensor activate(const Tensor& x, Activation activation);

}  // namespace espalier
