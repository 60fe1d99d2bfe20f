#pragma once

#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "nn/visit.h"

namespace espalier::nn {

using NamedTensors = std::vector<std::pair<std::string, Tensor>>;
using StateMap = std::map<std::string, Tensor>;

/// One name of a tensor in a model.
struct StateEntry {
  std::string name;
  Tensor tensor;
  Visitor::Kind kind;
  std::string tied_to;  ///< the first name under which the same tensor was met, or empty
};

namespace detail {
using VisitFunction = std::function<void(Visitor&)>;
ESPALIER_API std::vector<StateEntry> entries(const VisitFunction& visit);
ESPALIER_API void load_state(const VisitFunction& visit, const StateMap& state);
ESPALIER_API void replace_by_copies(const VisitFunction& visit);
ESPALIER_API void set_training(const VisitFunction& visit, bool training);

template <Visitable M>
VisitFunction visiting(M& model) {
  return [&model](Visitor& visitor) { model.visit(visitor); };
}
}  // namespace detail

/// Every tensor of the model under every name that it has, in the order of `visit`.
template <Visitable M>
std::vector<StateEntry> entries(M& model) {
  return detail::entries(detail::visiting(model));
}

/// The parameters with their dotted names; a tensor with several names (tied weights) comes once, under the
/// first.
template <Visitable M>
NamedTensors named_parameters(M& model) {
  NamedTensors result;
  for (const StateEntry& entry : entries(model)) {
    if (entry.kind == Visitor::Kind::parameter && entry.tied_to.empty())
      result.emplace_back(entry.name, entry.tensor);
  }
  return result;
}

template <Visitable M>
std::vector<Tensor> parameters(M& model) {
  std::vector<Tensor> result;
  for (const auto& [name, tensor] : named_parameters(model)) result.push_back(tensor);
  return result;
}

/// Parameters and buffers by name, sharing their elements with the model: what a checkpoint holds. Tied
/// tensors come once.
template <Visitable M>
StateMap state(M& model) {
  StateMap result;
  for (const StateEntry& entry : entries(model)) {
    if (entry.tied_to.empty()) result.emplace(entry.name, entry.tensor.detach());
  }
  return result;
}

/// Copies the values of `state` into the model, converting types. Throws ValueError that lists every missing,
/// unexpected and mismatched name with the shapes; then the model is as it was. A tied tensor may come under
/// any one of its names. What a layer calls unused (PyTorch's `num_batches_tracked`) may be there or not.
template <Visitable M>
void load_state(M& model, const StateMap& state) {
  detail::load_state(detail::visiting(model), state);
}

/// A model of its own with equal values: tensors that were tied stay tied, gradients and what was recorded
/// are left behind.
template <Visitable M>
M clone(const M& model) {
  M copy = model;
  detail::replace_by_copies(detail::visiting(copy));
  return copy;
}

/// Sets every layer with two modes (dropout, batch norm) to training.
template <Visitable M>
void train(M& model) {
  detail::set_training(detail::visiting(model), true);
}
/// ... to evaluation.
template <Visitable M>
void eval(M& model) {
  detail::set_training(detail::visiting(model), false);
}

}  // namespace espalier::nn
