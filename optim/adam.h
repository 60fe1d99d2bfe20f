#pragma once

#include "ops/adam_step.h"
#include "optim/optimiser.h"

namespace espalier::optim {

struct AdamOptions {
  double learning_rate = 1e-3;
  double beta1 = 0.9;     ///< how much of the gradient's mean is kept
  double beta2 = 0.999;   ///< how much of its mean square
  double epsilon = 1e-8;  ///< added to the root of the mean square
  double weight_decay = 0;
  bool amsgrad = false;  ///< divide by the largest mean square so far (Reddi, Kale, Kumar 2018)
};

/// Adam (Kingma and Ba 2014) with the formulas of torch.optim.Adam: weight decay is added to the gradient.
/// See AdamStep.
class ESPALIER_API Adam : public Optimiser {
 public:
  /// Throws what Optimiser's constructor throws, ValueError for betas outside [0, 1) and other options that
  /// are negative or not finite.
  explicit Adam(const nn::NamedTensors& parameters, const AdamOptions& options = {},
                const Groups<AdamOptions>& groups = {});
  template <nn::Visitable M>
  explicit Adam(M& model, const AdamOptions& options = {}, const Groups<AdamOptions>& groups = {})
      : Adam(nn::named_parameters(model), options, groups) {}

 protected:
  Adam(std::string_view where, const nn::NamedTensors& parameters, const AdamOptions& options,
       const Groups<AdamOptions>& groups, bool decoupled);

 private:
  void update(const Update& update) const override;

  std::vector<AdamRule> rules_;
};

struct AdamWOptions {
  double learning_rate = 1e-3;
  double beta1 = 0.9;
  double beta2 = 0.999;
  double epsilon = 1e-8;
  double weight_decay = 1e-2;  ///< times the learning rate and the parameter, taken off the parameter
  bool amsgrad = false;
};

/// AdamW (Loshchilov and Hutter 2017), Adam whose weight decay stays out of the gradient, with the formulas
/// of torch.optim.AdamW.
///
///   optim::AdamW adamw(model, {.learning_rate = 3e-4, .weight_decay = 0.1});
class ESPALIER_API AdamW final : public Adam {
 public:
  explicit AdamW(const nn::NamedTensors& parameters, const AdamWOptions& options = {},
                 const Groups<AdamWOptions>& groups = {});
  template <nn::Visitable M>
  explicit AdamW(M& model, const AdamWOptions& options = {}, const Groups<AdamWOptions>& groups = {})
      : AdamW(nn::named_parameters(model), options, groups) {}
};

}  // namespace espalier::optim
