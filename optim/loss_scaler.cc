#include "optim/loss_scaler.h"

#include <cmath>
#include <string>

#include "autograd/autograd.h"
#include "core/create.h"
#include "core/error.h"
#include "ops/cast.h"
#include "ops/copy.h"
#include "ops/global_norm.h"
#include "ops/multiply.h"
#include "optim/options_internal.h"

namespace espalier::optim {
namespace {

constexpr std::string_view kLossScaler = "LossScaler";
constexpr double kSmallest = 0x1p-24;  // f16's smallest: with less, gradients of 1 become 0

bool is_scale(double value) {
  return value > 0 && std::isfinite(value);
}

}  // namespace

LossScaler::LossScaler(const LossScalerOptions& options)
    : options_(options),
      scale_(full({}, options.initial, Dtype::f64)),
      good_steps_(zeros({}, Dtype::i64)),
      skipped_(zeros({}, Dtype::i64)) {
  check_option(kLossScaler, is_scale(options.initial), "initial scale", options.initial, "a positive number");
  check_option(kLossScaler, options.growth >= 1 && std::isfinite(options.growth), "growth", options.growth,
               "1 or more");
  check_option(kLossScaler, options.backoff > 0 && options.backoff < 1, "backoff", options.backoff,
               "between 0 and 1");
  check_option(kLossScaler, options.growth_interval >= 1, "growth_interval",
               static_cast<double>(options.growth_interval), "1 or more");
}

double LossScaler::scale() const {
  return scale_.item();
}

Tensor LossScaler::scale(const Tensor& loss) const {
  return (size_of(loss.dtype()) < size_of(Dtype::f32) ? cast(loss, Dtype::f32) : loss) * scale();
}

bool LossScaler::unscale_(std::span<const Tensor> parameters) {
  const NoGrad no_grad;
  std::vector<Tensor> gradients;
  for (const Tensor& parameter : parameters) {
    if (const Tensor gradient = parameter.grad(); gradient.defined()) gradients.push_back(gradient.detach());
  }
  if (gradients.empty()) return true;
  double& scale = *scale_.mutable_data<double>();
  int64_t &good_steps = *good_steps_.mutable_data<int64_t>(), &skipped = *skipped_.mutable_data<int64_t>();
  if (!std::isfinite(global_norm(gradients).item())) {
    scale *= options_.backoff;
    good_steps = 0;
    ++skipped;
    if (scale < kSmallest) {
      throw NumericError(kLossScaler,
                         "the gradients are not finite at any scale; try a lower learning rate, or bf16");
    }
    return false;
  }
  for (const Tensor& gradient : gradients) copy_(gradient, gradient * (1 / scale));
  if (++good_steps == options_.growth_interval) {
    if (is_scale(scale * options_.growth)) scale *= options_.growth;
    good_steps = 0;
  }
  return true;
}

int64_t LossScaler::skipped() const {
  return *skipped_.data<int64_t>();
}

nn::StateMap LossScaler::state() {
  return nn::state(*this);
}

void LossScaler::load_state(const nn::StateMap& state) {
  if (const auto found = state.find("scale"); found != state.end() && found->second.numel() == 1)
    check_option(kLossScaler, is_scale(found->second.item()), "the state's scale", found->second.item(),
                 "a positive number");
  nn::load_state(*this, state);
}

void LossScaler::visit(nn::Visitor& visitor) {
  visitor.buffer("scale", scale_);
  visitor.buffer("good_steps", good_steps_);
  visitor.buffer("skipped", skipped_);
}

}  // namespace espalier::optim
