#pragma once

#include "ops/update_steps.h"
#include "optim/optimiser.h"

namespace espalier::optim {

struct AdagradOptions {
  double learning_rate = 1e-2;
  double rate_decay = 0;  ///< the learning rate of step n is divided by 1 + (n - 1) * rate_decay
  double weight_decay = 0;
  double initial_sum = 0;  ///< what the sums of squares begin with
  double epsilon = 1e-10;  ///< added to their roots
};

/// Adagrad with the formulas of torch.optim.Adagrad; see AdagradStep.
class ESPALIER_API Adagrad final : public Optimiser {
 public:
  /// Throws what Optimiser's constructor throws, ValueError for options that are negative or not finite.
  explicit Adagrad(const nn::NamedTensors& parameters, const AdagradOptions& options = {},
                   const Groups<AdagradOptions>& groups = {});
  template <nn::Visitable M>
  explicit Adagrad(M& model, const AdagradOptions& options = {}, const Groups<AdagradOptions>& groups = {})
      : Adagrad(nn::named_parameters(model), options, groups) {}

 private:
  void update(const Update& update) const override;

  std::vector<AdagradRule> rules_;
};

}  // namespace espalier::optim
