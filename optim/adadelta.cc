#include "optim/adadelta.h"

#include "optim/groups_internal.h"
#include "optim/options_internal.h"

namespace espalier::optim {
namespace {

constexpr std::string_view kAdadelta = "Adadelta";

void check(const AdadeltaOptions& options) {
  check_fraction(kAdadelta, "rho", options.rho);
  check_not_negative(kAdadelta, "epsilon", options.epsilon);
  check_not_negative(kAdadelta, "weight decay", options.weight_decay);
}

}  // namespace

Adadelta::Adadelta(const nn::NamedTensors& parameters, const AdadeltaOptions& options,
                   const Groups<AdadeltaOptions>& groups)
    : Optimiser(kAdadelta, parameters,
                plans_of<GroupPlan>(options, groups,
                                    [](const AdadeltaOptions& o) -> GroupPlan {
                                      check(o);
                                      return {{}, o.learning_rate, {}, {{"square_avg"}, {"acc_delta"}}};
                                    })),
      rules_(rules_of<AdadeltaRule>(options, groups, [](const AdadeltaOptions& o) -> AdadeltaRule {
        return {o.rho, o.epsilon, o.weight_decay};
      })) {}

void Adadelta::update(const Update& u) const {
  adadelta_step_(u.parameter, u.gradient, u.memory[0], u.memory[1], u.rate, rules_[u.group]);
}

}  // namespace espalier::optim
