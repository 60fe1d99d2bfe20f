#include "optim/sgd.h"

#include "core/error.h"
#include "optim/options_internal.h"

namespace espalier::optim {
namespace {

constexpr std::string_view kName = "Sgd";

const SgdOptions& checked(const SgdOptions& options) {
  check_not_negative(kName, "momentum", options.momentum);
  check_not_negative(kName, "weight decay", options.weight_decay);
  if (options.nesterov && options.momentum == 0)
    throw ValueError(kName, "Nesterov's method looks ahead along the momentum, which is 0");
  return options;
}

}  // namespace

Sgd::Sgd(const nn::NamedTensors& parameters, const SgdOptions& options)
    : Optimiser(kName, parameters, checked(options).learning_rate,
                options.momentum != 0 ? std::vector<Memory>{{"momentum_buffer"}} : std::vector<Memory>{}),
      rule_{options.momentum, options.weight_decay, options.nesterov} {}

void Sgd::update(const Tensor& parameter, const Tensor& gradient, std::span<const Tensor> memory,
                 const Tensor& rate) const {
  sgd_step_(parameter, gradient, memory.empty() ? Tensor() : memory[0], rate, rule_);
}

}  // namespace espalier::optim
