#include "optim/adam.h"

#include <array>

#include "optim/options_internal.h"

namespace espalier::optim {
namespace {

const AdamOptions& checked(std::string_view where, const AdamOptions& options) {
  constexpr std::string_view kFraction = "0 or more and less than 1";
  check_option(where, options.beta1 >= 0 && options.beta1 < 1, "beta1", options.beta1, kFraction);
  check_option(where, options.beta2 >= 0 && options.beta2 < 1, "beta2", options.beta2, kFraction);
  check_not_negative(where, "epsilon", options.epsilon);
  check_not_negative(where, "weight decay", options.weight_decay);
  return options;
}

}  // namespace

Adam::Adam(std::string_view where, const nn::NamedTensors& parameters, const AdamOptions& options,
           bool decoupled)
    : Optimiser(where, parameters, checked(where, options).learning_rate,
                std::array<Memory, 3>{{{"exp_avg"}, {"exp_avg_sq"}, {"step", true}}}),
      rule_{options.beta1, options.beta2, options.epsilon, options.weight_decay, decoupled} {}

Adam::Adam(const nn::NamedTensors& parameters, const AdamOptions& options)
    : Adam("Adam", parameters, options, false) {}

void Adam::update(const Tensor& parameter, const Tensor& gradient, std::span<const Tensor> memory,
                  const Tensor& rate) const {
  adam_step_(parameter, gradient, memory[0], memory[1], rate, memory[2], rule_);
}

AdamW::AdamW(const nn::NamedTensors& parameters, const AdamWOptions& options)
    : Adam("AdamW", parameters,
           {options.learning_rate, options.beta1, options.beta2, options.epsilon, options.weight_decay},
           true) {}

}  // namespace espalier::optim
