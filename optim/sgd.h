#pragma once

#include "ops/sgd_step.h"
#include "optim/optimiser.h"

namespace espalier::optim {

struct SgdOptions {
  double learning_rate;
  double momentum = 0;
  double weight_decay = 0;  ///< times the parameter, added to its gradient
  bool nesterov = false;    ///< look ahead along the momentum
};

/// Stochastic gradient descent with the formulas of torch.optim.SGD; see SgdStep.
///
///   optim::Sgd sgd(model, {.learning_rate = 0.05, .momentum = 0.9});
class ESPALIER_API Sgd final : public Optimiser {
 public:
  /// Throws what Optimiser's constructor throws, ValueError for a negative or not finite option and for
  /// Nesterov's method without momentum.
  Sgd(const nn::NamedTensors& parameters, const SgdOptions& options, const Groups<SgdOptions>& groups = {});
  template <nn::Visitable M>
  Sgd(M& model, const SgdOptions& options, const Groups<SgdOptions>& groups = {})
      : Sgd(nn::named_parameters(model), options, groups) {}

 private:
  void update(const Update& update) const override;

  std::vector<SgdRule> rules_;
};

}  // namespace espalier::optim
