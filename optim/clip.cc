#include "optim/clip.h"

#include <cmath>
#include <string>

#include "autograd/autograd.h"
#include "core/error.h"
#include "ops/global_norm.h"
#include "optim/options_internal.h"

namespace espalier::optim {
namespace {

std::vector<Tensor> gradients_of(std::span<const Tensor> parameters) {
  std::vector<Tensor> result;
  for (const Tensor& parameter : parameters) {
    Tensor gradient = parameter.grad();
    if (gradient.defined()) result.push_back(std::move(gradient));
  }
  return result;
}

}  // namespace

Tensor clip_grad_norm(std::span<const Tensor> parameters, double max_norm, NonFinite non_finite) {
  check_option("clip_grad_norm", max_norm >= 0, "max_norm", max_norm, "0 or more");
  const NoGrad no_grad;
  const std::vector<Tensor> gradients = gradients_of(parameters);
  if (gradients.empty()) return zeros({}, Dtype::f64);
  const Tensor norm = global_norm(gradients);
  if (non_finite == NonFinite::refuse && !std::isfinite(norm.item())) {
    throw NumericError("clip_grad_norm", "the total norm of the gradients is " + std::to_string(norm.item()) +
                                             "; they are left as they are");
  }
  for (const Tensor& gradient : gradients) clip_by_norm_(gradient.detach(), norm, max_norm);
  return norm;
}

void clip_grad_value(std::span<const Tensor> parameters, double limit) {
  check_option("clip_grad_value", limit >= 0, "limit", limit, "0 or more");
  const NoGrad no_grad;
  for (const Tensor& gradient : gradients_of(parameters)) clip_by_value_(gradient.detach(), limit);
}

}  // namespace espalier::optim
