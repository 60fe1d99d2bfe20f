#include "optim/optimiser.h"

#include "autograd/autograd.h"
#include "core/error.h"
#include "ops/copy.h"
#include "optim/groups_internal.h"
#include "optim/options_internal.h"

namespace espalier::optim {
namespace {

/// A tensor of one value that lies in memory as `like` does.
Tensor full_like(const Tensor& like, double value) {
  if (!is_dense(like.shape(), like.strides())) return full(like.shape(), value, like.dtype(), like.device());
  const Tensor block = full({like.numel()}, value, like.dtype(), like.device());
  return block.with_layout(like.shape(), like.strides(), 0);
}

/// The number under `name`, where `state` has one; load_state() finds the other mistakes.
std::optional<double> number_in(const nn::StateMap& state, const std::string& name) {
  const auto found = state.find(name);
  if (found == state.end() || !found->second.defined() || found->second.numel() != 1) return {};
  return found->second.item();
}

}  // namespace

Optimiser::Optimiser(std::string_view where, const nn::NamedTensors& parameters,
                     std::span<const GroupPlan> groups)
    : where_(where) {
  std::vector<std::span<const std::string>> patterns;
  for (const GroupPlan& plan : groups) {
    check_not_negative(where, "learning rate", plan.learning_rate);
    patterns.emplace_back(plan.patterns);
  }
  check_parameters(where, parameters);
  group_of_ = assign_groups(where, parameters, patterns);
  const Device device = parameters[0].second.device();
  for (size_t g = 0; g < groups.size(); ++g) {
    const GroupPlan& plan = groups[g];
    const std::string prefix = g == 0 ? "" : "groups." + std::to_string(g) + ".";
    GroupState& group = groups_.emplace_back();
    group.rate = full({}, plan.learning_rate, Dtype::f64, device);
    group.rate_name = prefix + "learning_rate";
    if (!plan.momentum) continue;
    group.momentum = full({}, plan.momentum->value, Dtype::f64, device);
    group.momentum_name = prefix + plan.momentum->name;
    group.fraction = plan.momentum->fraction;
  }
  for (size_t i = 0; i < parameters.size(); ++i)
    add(parameters[i].first, parameters[i].second, groups[group_of_[i]]);
  first_memory_.push_back(memory_.size());
}

Optimiser::~Optimiser() = default;

void Optimiser::add(const std::string& name, const Tensor& parameter, const GroupPlan& plan) {
  claim_parameter(parameter);
  names_.push_back(name);
  parameters_.push_back(parameter);
  first_memory_.push_back(memory_.size());
  for (const Memory& kept : plan.memory) {
    memory_.push_back(kept.counts ? zeros({}, Dtype::i64, parameter.device())
                                  : full_like(parameter, kept.start));
    memory_names_.push_back(name + "." + kept.name);
  }
}

void Optimiser::step() {
  check_all_claimed(parameters_);
  const NoGrad no_grad;
  const std::span<const Tensor> memory = memory_;
  for (size_t i = 0; i < parameters_.size(); ++i) {
    const Tensor gradient = parameters_[i].grad();
    if (!gradient.defined()) continue;
    const GroupState& group = groups_[group_of_[i]];
    update({group_of_[i], parameters_[i], gradient,
            memory.subspan(first_memory_[i], first_memory_[i + 1] - first_memory_[i]), group.rate,
            group.momentum});
  }
}

void Optimiser::zero_grad() {
  for (Tensor& parameter : parameters_) {
    if (parameter.requires_grad()) parameter.set_grad({});
  }
}

const Optimiser::GroupState& Optimiser::group_at(size_t group) const {
  if (group >= groups_.size()) {
    throw ValueError(where_, "there is no group " + std::to_string(group) + "; there are " +
                                 std::to_string(groups_.size()) + ", counted from 0");
  }
  return groups_[group];
}

const Optimiser::GroupState& Optimiser::moving_group_at(size_t group) const {
  const GroupState& found = group_at(group);
  if (!found.momentum.defined())
    throw ValueError(where_, "group " + std::to_string(group) + " has no momentum to change");
  return found;
}

void Optimiser::check_momentum(const GroupState& group, double momentum) const {
  if (group.fraction)
    check_fraction(where_, group.momentum_name, momentum);
  else
    check_not_negative(where_, group.momentum_name, momentum);
}

double Optimiser::learning_rate(size_t group) const {
  return group_at(group).rate.item();
}

void Optimiser::set_learning_rate(double rate, size_t group) {
  check_not_negative(where_, "learning rate", rate);
  const Tensor& target = group_at(group).rate;
  copy_(target, full({}, rate, Dtype::f64, target.device()));
}

bool Optimiser::has_momentum(size_t group) const {
  return group_at(group).momentum.defined();
}

double Optimiser::momentum(size_t group) const {
  return moving_group_at(group).momentum.item();
}

void Optimiser::set_momentum(double momentum, size_t group) {
  const GroupState& target = moving_group_at(group);
  check_momentum(target, momentum);
  copy_(target.momentum, full({}, momentum, Dtype::f64, target.momentum.device()));
}

nn::StateMap Optimiser::state() {
  return nn::state(*this);
}

void Optimiser::load_state(const nn::StateMap& state) {
  for (const GroupState& group : groups_) {
    if (const auto rate = number_in(state, group.rate_name))
      check_not_negative(where_, "learning rate", *rate);
    if (!group.momentum.defined()) continue;
    if (const auto momentum = number_in(state, group.momentum_name)) check_momentum(group, *momentum);
  }
  nn::load_state(*this, state);
}

void Optimiser::visit(nn::Visitor& visitor) {
  for (GroupState& group : groups_) {
    visitor.buffer(group.rate_name, group.rate);
    if (group.momentum.defined()) visitor.buffer(group.momentum_name, group.momentum);
  }
  for (size_t i = 0; i < memory_.size(); ++i) visitor.buffer(memory_names_[i], memory_[i]);
}

}  // namespace espalier::optim
