#include "optim/sgd.h"

#include "core/error.h"
#include "optim/groups_internal.h"
#include "optim/options_internal.h"

namespace espalier::optim {
namespace {

constexpr std::string_view kSgd = "Sgd";

void check(const SgdOptions& options) {
  check_not_negative(kSgd, "momentum", options.momentum);
  check_not_negative(kSgd, "weight decay", options.weight_decay);
  if (options.nesterov && options.momentum == 0)
    throw ValueError(kSgd, "Nesterov's method looks ahead along the momentum, which is 0");
}

}  // namespace

Sgd::Sgd(const nn::NamedTensors& parameters, const SgdOptions& options, const Groups<SgdOptions>& groups)
    : Optimiser(
          kSgd, parameters,
          plans_of<GroupPlan>(
              options, groups,
              [](const SgdOptions& o) -> GroupPlan {
                check(o);
                if (o.momentum == 0) return {{}, o.learning_rate, {}, {}};
                return {{}, o.learning_rate, Momentum{"momentum", o.momentum, false}, {{"momentum_buffer"}}};
              })),
      rules_(rules_of<SgdRule>(
          options, groups, [](const SgdOptions& o) -> SgdRule { return {o.weight_decay, o.nesterov}; })) {}

void Sgd::update(const Update& u) const {
  sgd_step_(u.parameter, u.gradient, u.memory.empty() ? Tensor() : u.memory[0], u.rate, u.momentum,
            rules_[u.group]);
}

}  // namespace espalier::optim
