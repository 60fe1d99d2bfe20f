#include "optim/adagrad.h"

#include "optim/groups_internal.h"
#include "optim/options_internal.h"

namespace espalier::optim {
namespace {

constexpr std::string_view kAdagrad = "Adagrad";

void check(const AdagradOptions& options) {
  check_not_negative(kAdagrad, "rate decay", options.rate_decay);
  check_not_negative(kAdagrad, "weight decay", options.weight_decay);
  check_not_negative(kAdagrad, "initial sum", options.initial_sum);
  check_not_negative(kAdagrad, "epsilon", options.epsilon);
}

}  // namespace

Adagrad::Adagrad(const nn::NamedTensors& parameters, const AdagradOptions& options,
                 const Groups<AdagradOptions>& groups)
    : Optimiser(kAdagrad, parameters,
                plans_of<GroupPlan>(
                    options, groups,
                    [](const AdagradOptions& o) -> GroupPlan {
                      check(o);
                      return {{}, o.learning_rate, {}, {{"sum", false, o.initial_sum}, {"step", true}}};
                    })),
      rules_(rules_of<AdagradRule>(options, groups, [](const AdagradOptions& o) -> AdagradRule {
        return {o.rate_decay, o.epsilon, o.weight_decay};
      })) {}

void Adagrad::update(const Update& u) const {
  adagrad_step_(u.parameter, u.gradient, u.memory[0], u.rate, u.memory[1], rules_[u.group]);
}

}  // namespace espalier::optim
