#include "optim/rmsprop.h"

#include "optim/groups_internal.h"
#include "optim/options_internal.h"

namespace espalier::optim {
namespace {

constexpr std::string_view kRmsprop = "Rmsprop";

void check(const RmspropOptions& options) {
  check_fraction(kRmsprop, "alpha", options.alpha);
  check_not_negative(kRmsprop, "epsilon", options.epsilon);
  check_not_negative(kRmsprop, "weight decay", options.weight_decay);
  check_not_negative(kRmsprop, "momentum", options.momentum);
}

}  // namespace

Rmsprop::Rmsprop(const nn::NamedTensors& parameters, const RmspropOptions& options,
                 const Groups<RmspropOptions>& groups)
    : Optimiser(
          kRmsprop, parameters,
          plans_of<GroupPlan>(options, groups,
                              [](const RmspropOptions& o) -> GroupPlan {
                                check(o);
                                std::vector<Memory> memory = {{"square_avg"}};
                                if (o.centred) memory.push_back({"grad_avg"});
                                if (o.momentum == 0) return {{}, o.learning_rate, {}, memory};
                                memory.push_back({"momentum_buffer"});
                                return {{}, o.learning_rate, Momentum{"momentum", o.momentum, false}, memory};
                              })),
      rules_(rules_of<RmspropRule>(options, groups, [](const RmspropOptions& o) -> RmspropRule {
        return {o.alpha, o.epsilon, o.weight_decay};
      })) {}

void Rmsprop::update(const Update& u) const {
  const bool moving = u.momentum.defined();
  const bool centred = u.memory.size() == (moving ? 3 : 2);
  rmsprop_step_(u.parameter, u.gradient, u.memory[0], centred ? u.memory[1] : Tensor(),
                moving ? u.memory.back() : Tensor(), u.rate, u.momentum, rules_[u.group]);
}

}  // namespace espalier::optim
