#include "optim/regularisers.h"

#include "core/error.h"
#include "ops/abs.h"
#include "ops/add.h"
#include "ops/multiply.h"
#include "ops/sum.h"

namespace espalier::optim {
namespace {

/// Whether `name` matches `pattern`. On a mismatch the last star takes one character more: no need to try
/// earlier ones again.
bool matches(std::string_view pattern, std::string_view name) {
  size_t p = 0, n = 0;
  size_t star = std::string_view::npos, taken = 0;
  while (n < name.size()) {
    if (p < pattern.size() && pattern[p] == '*') {
      star = p++;
      taken = n;
    } else if (p < pattern.size() && (pattern[p] == '?' || pattern[p] == name[n])) {
      ++p;
      ++n;
    } else if (star != std::string_view::npos) {
      p = star + 1;
      n = ++taken;
    } else {
      return false;
    }
  }
  while (p < pattern.size() && pattern[p] == '*') ++p;
  return p == pattern.size();
}

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
    if (matches(pattern, entry.first)) selected.push_back(entry);
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
