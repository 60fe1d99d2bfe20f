#include <string>

#include "core/error.h"
#include "ops/residual_internal.h"

namespace espalier {
namespace {

constexpr int kResidual = 3;

}  // namespace

OutputSpec with_residual(std::string_view name, Inputs inputs, const OutputSpec& y, std::string_view memory) {
  const Tensor& residual = inputs[kResidual];
  if (!residual.defined()) return y;
  const auto is = [&] { return "the residual is " + describe(residual); };
  const auto all = [&] { return " (inputs " + describe(inputs) + ")"; };
  if (residual.dtype() != y.dtype)
    throw TypeError(name, is() + "; expected " + std::string(to_string(y.dtype)) + all());
  if (residual.shape() != y.shape) throw ShapeError(name, is() + "; expected " + to_string(y.shape) + all());
  if (count(y.shape) > 0 && residual.strides() != y.strides) {
    throw ShapeError(name, is() + " with strides " + to_string(residual.strides()) + "; expected " +
                               std::string(memory) + " memory, strides " + to_string(y.strides) + all());
  }
  return OutputSpec::update(kResidual, residual);
}

void add_residual_cost(Cost& cost, Inputs inputs, const OutputSpec& y, bool activation) {
  const int64_t elements = count(y.shape);
  if (activation) cost.flops += elements;
  if (!inputs[kResidual].defined()) return;
  cost.flops += elements;
  cost.bytes += elements * static_cast<int64_t>(size_of(y.dtype));
}

void tie_residual(std::vector<AxisTie>& ties, Inputs inputs) {
  if (!inputs[kResidual].defined()) return;
  for (AxisTie& tie : ties) {
    const size_t before = tie.axes.size();
    for (size_t i = 0; i < before; ++i) {
      if (tie.axes[i].operand == -1) tie.axes.push_back({kResidual, tie.axes[i].axis});
    }
  }
}

}  // namespace espalier
