#pragma once

#include <cstdint>
#include <deque>
#include <functional>

#include "nn/state.h"

namespace espalier::optim {

struct LbfgsOptions {
  double learning_rate = 1;          ///< the first step that is tried in each direction
  int64_t max_iterations = 20;       ///< in a step()
  int64_t max_evaluations = 0;       ///< of the closure in a step(); 0: 5/4 of the iterations
  double gradient_tolerance = 1e-7;  ///< stop where no entry of the gradient is larger
  double change_tolerance = 1e-9;    ///< stop where loss and parameters change by less
  int64_t history = 100;             ///< pairs of changes that are remembered
  bool line_search = true;           ///< look for a step that satisfies the strong Wolfe conditions
};

/// L-BFGS (Liu and Nocedal 1989) with the formulas of torch.optim.LBFGS, whose line search is off by default:
/// for losses that are the same function in each evaluation, of few enough parameters that their history fits
/// into memory (2 * history * parameters). All parameters must be of one type. One thread at a time may use
/// it.
///
///   optim::Lbfgs lbfgs(model);
///   lbfgs.step([&] {
///     lbfgs.zero_grad();
///     const Tensor loss = mse_loss(model(x), y);
///     backward(loss);
///     return loss;
///   });
class ESPALIER_API Lbfgs {
 public:
  /// Throws ValueError for no parameters, undefined ones, names or tensors that come twice, more than one
  /// type, and options that are negative, not finite or 0 where that makes no sense; GradientError for a
  /// tensor that is not a leaf.
  explicit Lbfgs(const nn::NamedTensors& parameters, const LbfgsOptions& options = {});
  template <nn::Visitable M>
  explicit Lbfgs(M& model, const LbfgsOptions& options = {}) : Lbfgs(nn::named_parameters(model), options) {}

  /// Computes the loss and its gradients anew: drops the gradients, runs the model and backward, returns the
  /// loss, which has one element.
  using Closure = std::function<Tensor()>;
  /// Goes on to lower losses until a tolerance or bound is met. Returns the closure's first loss. What the
  /// closure throws passes through; the parameters are then where it was evaluated.
  Tensor step(const Closure& closure);
  void zero_grad();

  double learning_rate() const noexcept { return options_.learning_rate; }
  /// Throws ValueError unless the rate is finite and not negative.
  void set_learning_rate(double rate);
  int64_t iterations() const noexcept { return iterations_; }
  int64_t evaluations() const noexcept { return evaluations_; }

  /// What the next step() builds on: `learning_rate`, `iterations`, `evaluations` and, after the first step,
  /// `direction`, `step_size`, `initial_scale`, `previous_loss`, `previous_gradient` and the history, oldest
  /// first: `gradient_changes`, `parameter_changes` (a row each) and `curvatures`. The tensors are copies.
  nn::StateMap state() const;
  /// Throws ValueError for names that are missing or unexpected and tensors that do not fit; then all is as
  /// it was.
  void load_state(const nn::StateMap& state);

 private:
  struct Change {
    Tensor gradient, parameters;
    double curvature;  ///< their product's reciprocal
  };

  Tensor flat_gradient() const;
  void move(double step, const Tensor& direction) const;
  void remember(const Tensor& gradient);
  Tensor newton_direction(const Tensor& gradient) const;

  std::vector<Tensor> parameters_;
  int64_t size_ = 0;  ///< elements of all parameters
  LbfgsOptions options_;
  int64_t iterations_ = 0, evaluations_ = 0;
  std::deque<Change> changes_;
  double initial_scale_ = 1, step_size_ = 0, previous_loss_ = 0;
  Tensor direction_, previous_gradient_;
};

}  // namespace espalier::optim
