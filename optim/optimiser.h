#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "nn/state.h"

namespace espalier::optim {

/// Options of their own for the parameters whose dotted names match one of `patterns`, as select() reads
/// them (optim/regularisers.h). Parameters that are in no group have the options that the optimiser is given
/// first; a parameter in two groups is an error, and so is a pattern that matches none.
///
///   optim::AdamWOptions options{.learning_rate = 3e-4, .weight_decay = 0.1}, no_decay = options;
///   no_decay.weight_decay = 0;
///   optim::AdamW adamw(model, options, {{{"*.bias", "norm*.weight"}, no_decay}});
template <class Options>
struct Group {
  std::vector<std::string> patterns;
  Options options;
};
template <class Options>
using Groups = std::vector<Group<Options>>;

/// What optimisers have in common: parameters by name, in groups, the tensors that remember their past
/// (momentum), and, of each group, a learning rate and a momentum that are tensors, so that a captured step
/// can be replayed with others. Group 0 has the parameters that no other group claims. One thread at a time
/// may use an optimiser.
///
/// An optimiser claims the parameters it is given: step() throws GradientError where a layer's parameter got
/// a gradient in the same backward but was given to no optimiser, because a member was forgotten in a
/// `visit`.
class ESPALIER_API Optimiser {
 public:
  virtual ~Optimiser();
  Optimiser(const Optimiser&) = delete;
  Optimiser& operator=(const Optimiser&) = delete;

  /// Updates, in place, every parameter that has a gradient; the others stay as they are. Throws
  /// GradientError for a forgotten parameter, before anything is changed.
  void step();
  /// Drops all gradients.
  void zero_grad();

  /// One more than the groups that the optimiser was given.
  size_t group_count() const noexcept { return groups_.size(); }

  /// Throws ValueError where there is no such group.
  double learning_rate(size_t group = 0) const;
  /// Throws ValueError unless the rate is finite and not negative.
  void set_learning_rate(double rate, size_t group = 0);

  /// Whether the group has a momentum that can be changed: what is kept of the gradients' mean from step to
  /// step (SGD's and RMSprop's momentum where it is not 0 from the start, Adam's and Lion's beta1).
  bool has_momentum(size_t group = 0) const;
  /// Throws ValueError where there is none.
  double momentum(size_t group = 0) const;
  /// Throws ValueError where there is none, and for a value that the options would not take.
  void set_momentum(double momentum, size_t group = 0);

  const std::vector<std::string>& names() const noexcept { return names_; }
  const std::vector<Tensor>& parameters() const noexcept { return parameters_; }
  /// The group of each parameter.
  const std::vector<size_t>& groups() const noexcept { return group_of_; }

  /// The learning rates and momenta, and what is remembered of each parameter, named as PyTorch names it:
  /// `learning_rate`, `momentum`, `conv1.weight.momentum_buffer`; those of group 1: `groups.1.learning_rate`.
  /// The tensors are the optimiser's own.
  nn::StateMap state();
  /// Copies the values of `state` into the optimiser. Throws ValueError that lists all missing, unexpected
  /// and mismatched names, or tells of a learning rate or momentum that is none; then the optimiser is as it
  /// was.
  void load_state(const nn::StateMap& state);
  /// Names the tensors of state() to a visitor, so that what works on models (clone aside) works here.
  void visit(nn::Visitor& visitor);

 protected:
  /// What is remembered of a parameter: a tensor of its shape and type, filled with `start`, or (`counts`)
  /// one number of type i64.
  struct Memory {
    const char* name;
    bool counts = false;
    double start = 0;
  };
  struct Momentum {
    const char* name;  ///< in the state
    double value;
    bool fraction;  ///< whether it must be less than 1
  };
  struct GroupPlan {
    std::vector<std::string> patterns;  ///< of group 0: none
    double learning_rate;
    std::optional<Momentum> momentum;
    std::vector<Memory> memory;
  };
  /// One parameter's update; `memory` as the plan of its group says.
  struct Update {
    size_t group;
    const Tensor& parameter;
    const Tensor& gradient;
    std::span<const Tensor> memory;
    const Tensor& rate;
    const Tensor& momentum;  ///< undefined where the group has none
  };

  /// `where` is the name in errors. Throws ValueError for a rate that is none, no parameters, undefined ones,
  /// names or tensors that come twice, groups without patterns, patterns that match nothing and parameters in
  /// two groups (both with the names); GradientError for a tensor that is not a leaf.
  Optimiser(std::string_view where, const nn::NamedTensors& parameters, std::span<const GroupPlan> groups);

  /// Updates one parameter from its gradient; nothing is recorded.
  virtual void update(const Update& update) const = 0;

 private:
  struct GroupState {
    Tensor rate;
    Tensor momentum;
    std::string rate_name, momentum_name;
    bool fraction = false;
  };

  void add(const std::string& name, const Tensor& parameter, const GroupPlan& plan);
  const GroupState& group_at(size_t group) const;
  const GroupState& moving_group_at(size_t group) const;
  void check_momentum(const GroupState& group, double momentum) const;

  std::string where_;
  std::vector<GroupState> groups_;
  std::vector<std::string> names_;
  std::vector<Tensor> parameters_;
  std::vector<size_t> group_of_;
  std::vector<size_t> first_memory_;  ///< where in memory_ that of each parameter begins, and the end
  std::vector<Tensor> memory_;
  std::vector<std::string> memory_names_;
};

}  // namespace espalier::optim
