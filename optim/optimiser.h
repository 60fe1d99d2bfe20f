#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "nn/state.h"

namespace espalier::optim {

/// What optimisers have in common: parameters by name, the tensors that remember their past (momentum), and a
/// learning rate that is a tensor, so that a captured step can be replayed with another. One thread at a time
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

  double learning_rate() const;
  /// Throws ValueError unless the rate is finite and not negative.
  void set_learning_rate(double rate);

  const std::vector<std::string>& names() const noexcept { return names_; }
  const std::vector<Tensor>& parameters() const noexcept { return parameters_; }

  /// The learning rate and what is remembered of each parameter, named as PyTorch names it:
  /// `learning_rate`, `conv1.weight.momentum_buffer`. The tensors are the optimiser's own.
  nn::StateMap state();
  /// Copies the values of `state` into the optimiser. Throws ValueError that lists all missing, unexpected
  /// and mismatched names, or tells of a learning rate that is none; then the optimiser is as it was.
  void load_state(const nn::StateMap& state);
  /// Names the tensors of state() to a visitor, so that what works on models (clone aside) works here.
  void visit(nn::Visitor& visitor);

 protected:
  /// What is remembered of a parameter: a tensor of zeros, of the parameter's shape and type or (`counts`)
  /// one number of type i64.
  struct Memory {
    const char* name;
    bool counts = false;
  };

  /// `where` is the name in errors. Throws ValueError for a rate that is none, no parameters, undefined ones,
  /// and names or tensors that come twice; GradientError for a tensor that is not a leaf.
  Optimiser(std::string_view where, const nn::NamedTensors& parameters, double rate,
            std::span<const Memory> memory);

  /// Updates one parameter from its gradient; nothing is recorded. `memory` as the constructor was told.
  virtual void update(const Tensor& parameter, const Tensor& gradient, std::span<const Tensor> memory,
                      const Tensor& rate) const = 0;

 private:
  std::string where_;
  std::vector<std::string> names_;
  std::vector<Tensor> parameters_;
  std::vector<Memory> memory_;
  std::vector<Tensor> remembered_;  ///< memory_.size() for each parameter, parameter by parameter
  Tensor rate_;
};

}  // namespace espalier::optim
