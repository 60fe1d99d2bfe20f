#include "optim/regularisers.h"

#include "core/error.h"
#include "ops/abs.h"
#include "ops/add.h"
#include "ops/multiply.h"
#include "ops/sum.h"
#include "optim/groups_internal.h"

namespace espalier::optim {
namespace {

/// The sum of what `term` makes of each parameter that matches, times lambda.
template <class Term>
Tensor weighted_sum(const nn::NamedTensors& parameters, std::string_view pattern, double lambda,
                    Term&& term) {
  Tensor total;
  for (const auto& [name, parameter] : select(parameters, pattern)) {
    const Tensor one = sum(term(parameter));
    total = total.defined() ? total + one : one;
  }
  return total * lambda;
}

}  // namespace

nn::NamedTensors select(const nn::NamedTensors& parameters, std::string_view pattern) {
  nn::NamedTensors selected;
  std::string names;
  for (const auto& entry : parameters) {
    if (name_matches(pattern, entry.first)) selected.push_back(entry);
    names += (names.empty() ? "" : ", ") + entry.first;
  }
  if (selected.empty())
    throw ValueError("select", "no parameter matches \"" + std::string(pattern) + "\"; there are: " + names);
  return selected;
}

Tensor l1(const nn::NamedTensors& parameters, std::string_view pattern, double lambda) {
  return weighted_sum(parameters, pattern, lambda, [](const Tensor& w) { return abs(w); });
}

Tensor l2(const nn::NamedTensors& parameters, std::string_view pattern, double lambda) {
  return weighted_sum(parameters, pattern, lambda, [](const Tensor& w) { return w * w; });
}

}  // namespace espalier::optim
