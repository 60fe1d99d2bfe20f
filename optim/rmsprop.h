#pragma once

#include "ops/update_steps.h"
#include "optim/optimiser.h"

namespace espalier::optim {

struct RmspropOptions {
  double learning_rate = 1e-2;
  double alpha = 0.99;    ///< how much of the mean square is kept
  double epsilon = 1e-8;  ///< added to its root
  double weight_decay = 0;
  double momentum = 0;
  bool centred = false;  ///< divide by the standard deviation instead of the root of the mean square
};

/// RMSprop with the formulas of torch.optim.RMSprop; see RmspropStep.
class ESPALIER_API Rmsprop final : public Optimiser {
 public:
  /// Throws what Optimiser's constructor throws, ValueError for an alpha outside [0, 1)
  /// and other options that are negative or not finite.
  explicit Rmsprop(const nn::NamedTensors& parameters, const RmspropOptions& options = {},
                   const Groups<RmspropOptions>& groups = {});
  template <nn::Visitable M>
  explicit Rmsprop(M& model, const RmspropOptions& options = {}, const Groups<RmspropOptions>& groups = {})
      : Rmsprop(nn::named_parameters(model), options, groups) {}

 private:
  void update(const Update& update) const override;

  std::vector<RmspropRule> rules_;
};

}  // namespace espalier::optim
