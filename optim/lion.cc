#include "optim/lion.h"

#include "optim/groups_internal.h"
#include "optim/options_internal.h"

namespace espalier::optim {
namespace {

constexpr std::string_view kLion = "Lion";

void check(const LionOptions& options) {
  check_fraction(kLion, "beta1", options.beta1);
  check_fraction(kLion, "beta2", options.beta2);
  check_not_negative(kLion, "weight decay", options.weight_decay);
}

}  // namespace

Lion::Lion(const nn::NamedTensors& parameters, const LionOptions& options, const Groups<LionOptions>& groups)
    : Optimiser(
          kLion, parameters,
          plans_of<GroupPlan>(options, groups,
                              [](const LionOptions& o) -> GroupPlan {
                                check(o);
                                return {{}, o.learning_rate, Momentum{"beta1", o.beta1, true}, {{"exp_avg"}}};
                              })),
      rules_(rules_of<LionRule>(
          options, groups, [](const LionOptions& o) -> LionRule { return {o.beta2, o.weight_decay}; })) {}

void Lion::update(const Update& u) const {
  lion_step_(u.parameter, u.gradient, u.memory[0], u.rate, u.momentum, rules_[u.group]);
}

}  // namespace espalier::optim
