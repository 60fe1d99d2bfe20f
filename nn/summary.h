#pragma once

#include <string>

#include "nn/state.h"

namespace espalier::nn {

namespace detail {
ESPALIER_API std::string summary(const std::vector<StateEntry>& entries);
}

/// A table of the model's tensors: name, type and shape, elements, bytes; tied ones are told and counted
/// once; the sums at the end.
template <Visitable M>
std::string summary(M& model) {
  return detail::summary(entries(model));
}

}  // namespace espalier::nn
