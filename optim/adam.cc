#include "optim/adam.h"

#include "optim/groups_internal.h"
#include "optim/options_internal.h"

namespace espalier::optim {
namespace {

void check(std::string_view where, const AdamOptions& options) {
  check_fraction(where, "beta1", options.beta1);
  check_fraction(where, "beta2", options.beta2);
  check_not_negative(where, "epsilon", options.epsilon);
  check_not_negative(where, "weight decay", options.weight_decay);
}

AdamOptions as_adam(const AdamWOptions& o) {
  return {o.learning_rate, o.beta1, o.beta2, o.epsilon, o.weight_decay, o.amsgrad};
}

Groups<AdamOptions> as_adam(const Groups<AdamWOptions>& groups) {
  Groups<AdamOptions> result;
  for (const auto& group : groups) result.push_back({group.patterns, as_adam(group.options)});
  return result;
}

}  // namespace

Adam::Adam(std::string_view where, const nn::NamedTensors& parameters, const AdamOptions& options,
           const Groups<AdamOptions>& groups, bool decoupled)
    : Optimiser(where, parameters,
                plans_of<GroupPlan>(options, groups,
                                    [&](const AdamOptions& o) -> GroupPlan {
                                      check(where, o);
                                      std::vector<Memory> memory = {
                                          {"exp_avg"}, {"exp_avg_sq"}, {"step", true}};
                                      if (o.amsgrad) memory.push_back({"max_exp_avg_sq"});
                                      return {{}, o.learning_rate, Momentum{"beta1", o.beta1, true}, memory};
                                    })),
      rules_(rules_of<AdamRule>(options, groups, [&](const AdamOptions& o) -> AdamRule {
        return {o.beta2, o.epsilon, o.weight_decay, decoupled};
      })) {}

Adam::Adam(const nn::NamedTensors& parameters, const AdamOptions& options, const Groups<AdamOptions>& groups)
    : Adam("Adam", parameters, options, groups, false) {}

void Adam::update(const Update& u) const {
  const Tensor largest = u.memory.size() > 3 ? u.memory[3] : Tensor();
  adam_step_(u.parameter, u.gradient, u.memory[0], u.memory[1], largest, u.rate, u.momentum, u.memory[2],
             rules_[u.group]);
}

AdamW::AdamW(const nn::NamedTensors& parameters, const AdamWOptions& options,
             const Groups<AdamWOptions>& groups)
    : Adam("AdamW", parameters, as_adam(options), as_adam(groups), true) {}

}  // namespace espalier::optim
