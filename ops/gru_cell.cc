#include "ops/gru_cell.h"

#include "core/error.h"
#include "ops/add.h"
#include "ops/multiply.h"
#include "ops/sigmoid.h"
#include "ops/slice.h"
#include "ops/subtract.h"
#include "ops/tanh.h"

namespace espalier {
namespace {

/// Throws unless both parts of the gates are [N, 3H] and `hidden` is [N, H], all of one type.
void check_gru(std::string_view name, Inputs inputs, const Tensor& x, const Tensor& h, const Tensor& hidden) {
  if (x.dtype() != h.dtype() || x.dtype() != hidden.dtype() || !is_floating(x.dtype()))
    throw TypeError(name, "inputs are " + describe(inputs) + "; expected one floating type");
  const bool fits = hidden.rank() == 2 && x.shape() == h.shape() && x.rank() == 2 &&
                    x.shape()[0] == hidden.shape()[0] && x.shape()[1] == 3 * hidden.shape()[1];
  if (!fits) {
    throw ShapeError(name,
                     "inputs are " + describe(inputs) + "; expected gates [N, 3H] twice and a state [N, H]");
  }
}

/// Some twenty operations go into each exponential function.
Cost gru_cost(Cost moved, const Tensor& hidden) {
  moved.flops = 70 * hidden.numel();
  return moved;
}

}  // namespace

void GruCell::infer(Inputs inputs, OutputSpecs& outputs) const {
  check_gru(kName, inputs, inputs[0], inputs[1], inputs[2]);
  outputs.push_back(OutputSpec::fresh(inputs[2].shape(), inputs[2].dtype()));
}

Tensors GruCell::backward(const BackwardContext& context) const {
  return apply(GruCellBackward(),
               {context.gradient(0), context.input(0), context.input(1), context.input(2)});
}

Tensors GruCell::decompose(Inputs inputs) const {
  const int64_t width = inputs[2].size(1);
  const auto x = [&](int64_t gate) { return narrow(inputs[0], 1, gate * width, width); };
  const auto h = [&](int64_t gate) { return narrow(inputs[1], 1, gate * width, width); };
  const Tensor reset = sigmoid(x(0) + h(0)), update = sigmoid(x(1) + h(1));
  const Tensor candidate = tanh(x(2) + reset * h(2));
  return {candidate + update * (inputs[2] - candidate)};
}

Cost GruCell::cost(Inputs inputs, std::span<const OutputSpec> outputs) const {
  return gru_cost(Operation::cost(inputs, outputs), inputs[2]);
}

std::vector<AxisTie> GruCell::axis_ties(Inputs) const {
  // A unit has three rows of gates, which one tie of equal indices cannot say: only sequences may go.
  return {{{{0, 0}, {1, 0}, {2, 0}, {-1, 0}}}};
}

void GruCellBackward::infer(Inputs inputs, OutputSpecs& outputs) const {
  const Tensor &gradient = inputs[0], &x = inputs[1], &hidden = inputs[3];
  check_gru(kName, inputs, x, inputs[2], hidden);
  if (gradient.dtype() != x.dtype())
    throw TypeError(kName, "inputs are " + describe(inputs) + "; expected one floating type");
  if (gradient.shape() != hidden.shape()) {
    throw ShapeError(kName,
                     "inputs are " + describe(inputs) + "; expected a gradient " + to_string(hidden.shape()));
  }
  outputs.push_back(OutputSpec::fresh(x.shape(), x.dtype()));
  outputs.push_back(OutputSpec::fresh(x.shape(), x.dtype()));
  outputs.push_back(OutputSpec::fresh(hidden.shape(), hidden.dtype()));
}

Cost GruCellBackward::cost(Inputs inputs, std::span<const OutputSpec> outputs) const {
  return gru_cost(Operation::cost(inputs, outputs), inputs[3]);
}

Tensor gru_cell(const Tensor& from_input, const Tensor& from_hidden, const Tensor& hidden) {
  return apply_one(GruCell(), from_input, from_hidden, hidden);
}

}  // namespace espalier
