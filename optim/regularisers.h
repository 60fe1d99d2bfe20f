#pragma once

#include <string_view>

#include "nn/state.h"

namespace espalier::optim {

/// The parameters whose dotted name matches `pattern`, in which `*` stands for any characters, dots included,
/// and `?` for one. Throws ValueError that lists the names where there is none.
ESPALIER_API nn::NamedTensors select(const nn::NamedTensors& parameters, std::string_view pattern);
template <nn::Visitable M>
nn::NamedTensors select(M& model, std::string_view pattern) {
  return select(nn::named_parameters(model), pattern);
}

/// `lambda` times the sum of |w| over all entries of the parameters that match, as a term to add to a loss.
/// Its gradient, lambda times the sign, drives entries to zero. Throws as select() does.
ESPALIER_API Tensor l1(const nn::NamedTensors& parameters, std::string_view pattern, double lambda);
template <nn::Visitable M>
Tensor l1(M& model, std::string_view pattern, double lambda) {
  return l1(nn::named_parameters(model), pattern, lambda);
}

/// `lambda` times the sum of w * w (without a factor 1/2) over all entries of the parameters that match, as a
/// term to add to a loss. Throws as select() does.
///
///   const Tensor loss = cross_entropy(model(x), y) + optim::l2(model, "*.weight", 1e-4);
ESPALIER_API Tensor l2(const nn::NamedTensors& parameters, std::string_view pattern, double lambda);
template <nn::Visitable M>
Tensor l2(M& model, std::string_view pattern, double lambda) {
  return l2(nn::named_parameters(model), pattern, lambda);
}

}  // namespace espalier::optim
