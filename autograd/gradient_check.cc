#include "autograd/gradient_check.h"

#include <algorithm>
#include <cmath>

#include "autograd/autograd.h"
#include "core/error.h"

namespace espalier {
namespace {

using Function = std::function<std::vector<Tensor>(const std::vector<Tensor>&)>;

/// Weights between 1/2 and 3/2 that differ from element to element, so that errors do not cancel. `salt`
/// makes another set.
Tensor weights_like(const Tensor& tensor, size_t salt) {
  Tensor weights = empty(tensor.shape(), tensor.dtype());
  double* values = weights.mutable_data<double>();
  for (int64_t i = 0; i < weights.numel(); ++i) {
    const double golden =
        static_cast<double>(i + 1) * 0.618033988749895 + static_cast<double>(salt) * 0.414213562373095;
    values[i] = 0.5 + (golden - std::floor(golden));
  }
  return weights;
}

/// The outputs through which gradients flow, and how much each of their elements counts.
struct Weighted {
  std::vector<Tensor> outputs, weights;
};

Weighted weighted(const std::vector<Tensor>& all, size_t salt) {
  Weighted result;
  for (const Tensor& output : all) {
    if (!output.requires_grad()) continue;
    result.weights.push_back(weights_like(output, salt + result.weights.size()));
    result.outputs.push_back(output);
  }
  return result;
}

double weighted_sum(const Weighted& weighted) {
  double total = 0;
  for (size_t i = 0; i < weighted.outputs.size(); ++i) {
    const std::vector<double> values = weighted.outputs[i].to_vector<double>();
    const double* weights = weighted.weights[i].data<double>();
    for (size_t j = 0; j < values.size(); ++j) total += values[j] * weights[j];
  }
  return total;
}

std::vector<Tensor> wanting(const std::vector<Tensor>& inputs) {
  std::vector<Tensor> result;
  std::copy_if(inputs.begin(), inputs.end(), std::back_inserter(result),
               [](const Tensor& t) { return t.requires_grad(); });
  return result;
}

/// The function whose outputs are the gradients of `f`.
Function gradient_of(const Function& f) {
  return [f](const std::vector<Tensor>& inputs) {
    const Weighted result = weighted(f(inputs), 0);
    std::vector<Tensor> gradients =
        grad(result.outputs, wanting(inputs),
             {.gradients = result.weights, .create_graph = true, .allow_unused = true});
    std::erase_if(gradients, [](const Tensor& t) { return !t.defined(); });
    return gradients;
  };
}

std::string check_first_order(const Function& f, const std::vector<Tensor>& inputs,
                              const GradientCheckOptions& options) {
  const Weighted result = weighted(f(inputs), 7);
  const std::vector<Tensor> varied = wanting(inputs);
  std::vector<Tensor> gradients(varied.size());
  if (!result.outputs.empty())
    gradients = grad(result.outputs, varied, {.gradients = result.weights, .allow_unused = true});
  for (size_t i = 0; i < varied.size(); ++i) {
    const std::vector<double> analytic = gradients[i].defined()
                                             ? gradients[i].to_vector<double>()
                                             : std::vector<double>(static_cast<size_t>(varied[i].numel()));
    Tensor values = varied[i].detach();
    for (int64_t element = 0; element < values.numel(); ++element) {
      const auto probe = [&](double delta) {
        double& place = values.mutable_data<double>()[element];
        const double kept = place;
        place += delta;
        const double total = weighted_sum(weighted(f(inputs), 7));
        values.mutable_data<double>()[element] = kept;
        return total;
      };
      const double numeric = (probe(options.step) - probe(-options.step)) / (2 * options.step);
      const double found = analytic[static_cast<size_t>(element)];
      if (!(std::abs(numeric - found) <= options.tolerance * std::max(1.0, std::abs(numeric)))) {
        return "input " + std::to_string(i) + ", " + describe(varied[i]) + ", element " +
               std::to_string(element) + ": backward gives " + std::to_string(found) + ", differences give " +
               std::to_string(numeric);
      }
    }
  }
  return {};
}

}  // namespace

std::string check_gradients(const Function& f, const std::vector<Tensor>& inputs,
                            const GradientCheckOptions& options) {
  for (const Tensor& input : inputs) {
    if (!input.requires_grad()) continue;
    if (input.dtype() != Dtype::f64)
      throw TypeError("check_gradients", describe(input) + " given; differences need f64");
    if (!input.is_contiguous()) throw ShapeError("check_gradients", describe(input) + " is not contiguous");
  }
  if (wanting(inputs).empty()) throw GradientError("check_gradients", "no input requires a gradient");
  return check_first_order(options.second_order ? gradient_of(f) : f, inputs, options);
}

}  // namespace espalier
