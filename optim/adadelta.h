#pragma once

#include "ops/update_steps.h"
#include "optim/optimiser.h"

namespace espalier::optim {

struct AdadeltaOptions {
  double learning_rate = 1;
  double rho = 0.9;       ///< how much of the mean squares is kept
  double epsilon = 1e-6;  ///< added to them
  double weight_decay = 0;
};

/// Adadelta with the formulas of torch.optim.Adadelta; see AdadeltaStep.
class ESPALIER_API Adadelta final : public Optimiser {
 public:
  /// Throws what Optimiser's constructor throws, ValueError for a rho outside [0, 1) and
  /// other options that are negative or not finite.
  explicit Adadelta(const nn::NamedTensors& parameters, const AdadeltaOptions& options = {},
                    const Groups<AdadeltaOptions>& groups = {});
  template <nn::Visitable M>
  explicit Adadelta(M& model, const AdadeltaOptions& options = {}, const Groups<AdadeltaOptions>& groups = {})
      : Adadelta(nn::named_parameters(model), options, groups) {}

 private:
  void update(const Update& update) const override;

  std::vector<AdadeltaRule> rules_;
};

}  // namespace espalier::optim
