#pragma once

#include "ops/update_steps.h"
#include "optim/optimiser.h"

namespace espalier::optim {

struct LionOptions {
  double learning_rate = 1e-4;
  double beta1 = 0.9;       ///< how much of the mean goes into the direction
  double beta2 = 0.99;      ///< how much of it is kept
  double weight_decay = 0;  ///< times the learning rate and the parameter, taken off the parameter
};

/// Lion, whose steps have the gradient's sign only: Chen et al., "Symbolic discovery of optimization
/// algorithms" (2023); see LionStep. The paper advises a learning rate 3 to 10 times smaller than AdamW's and
/// a decay as much larger.
class ESPALIER_API Lion final : public Optimiser {
 public:
  /// Throws what Optimiser's constructor throws, ValueError for betas outside [0, 1) and
  /// other options that are negative or not finite.
  explicit Lion(const nn::NamedTensors& parameters, const LionOptions& options = {},
                const Groups<LionOptions>& groups = {});
  template <nn::Visitable M>
  explicit Lion(M& model, const LionOptions& options = {}, const Groups<LionOptions>& groups = {})
      : Lion(nn::named_parameters(model), options, groups) {}

 private:
  void update(const Update& update) const override;

  std::vector<LionRule> rules_;
};

}  // namespace espalier::optim
