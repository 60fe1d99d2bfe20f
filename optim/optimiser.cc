#include "optim/optimiser.h"

#include <set>

#include "autograd/autograd.h"
#include "core/error.h"
#include "ops/copy.h"
#include "optim/options_internal.h"

namespace espalier::optim {
namespace {

/// Zeros that lie in memory as `like` does.
Tensor zeros_like(const Tensor& like) {
  if (!is_dense(like.shape(), like.strides())) return zeros(like.shape(), like.dtype(), like.device());
  const Tensor block = zeros({like.numel()}, like.dtype(), like.device());
  return block.with_layout(like.shape(), like.strides(), 0);
}

}  // namespace

Optimiser::Optimiser(std::string_view where, const nn::NamedTensors& parameters, double rate,
                     std::span<const Memory> memory)
    : where_(where), memory_(memory.begin(), memory.end()) {
  check_not_negative(where, "learning rate", rate);
  if (parameters.empty())
    throw ValueError(where, "there are no parameters to update: does the model's visit() name any?");
  std::set<std::string> names;
  std::set<const TensorBody*> bodies;
  for (const auto& [name, parameter] : parameters) {
    if (!parameter.defined()) throw ValueError(where, "parameter " + name + " is undefined");
    if (!names.insert(name).second) throw ValueError(where, "parameter " + name + " was given twice");
    if (!bodies.insert(&parameter.body()).second) {
      throw ValueError(where, "parameter " + name + ", " + describe(parameter) +
                                  ", was given under another name, too: each would be updated twice");
    }
    parameter.grad();  // refuses what is not a leaf
  }
  for (const auto& [name, parameter] : parameters) {
    claim_parameter(parameter);
    names_.push_back(name);
    parameters_.push_back(parameter);
    for (const Memory& kept : memory_) {
      remembered_.push_back(kept.counts ? zeros({}, Dtype::i64, parameter.device()) : zeros_like(parameter));
    }
  }
  rate_ = full({}, rate, Dtype::f64, parameters_[0].device());
}

Optimiser::~Optimiser() = default;

void Optimiser::step() {
  check_all_claimed(parameters_);
  const NoGrad no_grad;
  const std::span<const Tensor> remembered = remembered_;
  for (size_t i = 0; i < parameters_.size(); ++i) {
    const Tensor gradient = parameters_[i].grad();
    if (gradient.defined())
      update(parameters_[i], gradient, remembered.subspan(i * memory_.size(), memory_.size()), rate_);
  }
}

void Optimiser::zero_grad() {
  for (Tensor& parameter : parameters_) {
    if (parameter.requires_grad()) parameter.set_grad({});
  }
}

double Optimiser::learning_rate() const {
  return rate_.item();
}

void Optimiser::set_learning_rate(double rate) {
  check_not_negative(where_, "learning rate", rate);
  copy_(rate_, full({}, rate, Dtype::f64, rate_.device()));
}

nn::StateMap Optimiser::state() {
  return nn::state(*this);
}

void Optimiser::load_state(const nn::StateMap& state) {
  const auto rate = state.find("learning_rate");
  if (rate != state.end() && rate->second.defined() && rate->second.numel() == 1) {
    check_not_negative(where_, "learning rate", rate->second.item());
  }
  nn::load_state(*this, state);
}

void Optimiser::visit(nn::Visitor& visitor) {
  visitor.buffer("learning_rate", rate_);
  for (size_t i = 0; i < remembered_.size(); ++i) {
    const std::string& parameter = names_[i / memory_.size()];
    visitor.buffer(parameter + "." + memory_[i % memory_.size()].name, remembered_[i]);
  }
}

}  // namespace espalier::optim
