#include "ops/likelihood_losses.h"

#include <cmath>
#include <numbers>

#include "ops/add.h"
#include "ops/cast.h"
#include "ops/divide.h"
#include "ops/equal.h"
#include "ops/exp.h"
#include "ops/log.h"
#include "ops/loss_internal.h"
#include "ops/multiply.h"
#include "ops/relu.h"
#include "ops/subtract.h"

namespace espalier {
namespace {

/// t log t - t + log(2 pi t) / 2 where t > 1, else 0.
Tensor stirling(const Tensor& t) {
  const Tensor small = cast(equal(relu(t - 1), 0), t.dtype());
  const Tensor large = 1 - small;
  const Tensor safe = t * large + small;
  return (safe * log(safe) - safe + 0.5 * log(2 * std::numbers::pi * safe)) * large;
}

}  // namespace

Tensor poisson_nll_loss(const Tensor& predictions, const Tensor& targets, const PoissonNllOptions& options) {
  constexpr std::string_view kName = "poisson_nll_loss";
  const Tensor pair[] = {predictions, targets};
  check_loss_inputs(kName, pair);
  check_loss_option(kName, "eps", options.eps);
  const Tensor x = widened(predictions), t = widened(targets);
  Tensor terms = options.log_input ? exp(x) - t * x : x - t * log(x + options.eps);
  if (options.full) terms = terms + stirling(t);
  return cast(reduced_loss(terms, options.reduction), predictions.dtype());
}

Tensor gaussian_nll_loss(const Tensor& predictions, const Tensor& targets, const Tensor& variances,
                         const GaussianNllOptions& options) {
  constexpr std::string_view kName = "gaussian_nll_loss";
  const Tensor pair[] = {predictions, targets};
  check_loss_inputs(kName, pair);
  check_defined(kName, variances);
  check_loss_option(kName, "eps", options.eps, true);
  if (variances.dtype() != predictions.dtype() ||
      broadcast_shapes(predictions.shape(), variances.shape(), kName) != predictions.shape()) {
    throw ShapeError(kName, "variances are " + describe(variances) + " for predictions " +
                                describe(predictions) +
                                "; expected the same type and a shape that "
                                "broadcasts to theirs");
  }
  const Tensor v = widened(variances);
  const Tensor variance = v + relu(options.eps - v.detach());
  const Tensor error = widened(predictions) - widened(targets);
  Tensor terms = 0.5 * (log(variance) + error * error / variance);
  if (options.full) terms = terms + 0.5 * std::log(2 * std::numbers::pi);
  return cast(reduced_loss(terms, options.reduction), predictions.dtype());
}

}  // namespace espalier
