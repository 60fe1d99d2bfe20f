#include "ops/lstm_cell.h"

#include "core/error.h"
#include "ops/add.h"
#include "ops/multiply.h"
#include "ops/sigmoid.h"
#include "ops/slice.h"
#include "ops/tanh.h"

namespace espalier {
namespace {

/// Throws unless both parts of the gates are [N, 4H] and `cell` is [N, H], all of one type.
void check_lstm(std::string_view name, Inputs inputs, const Tensor& x, const Tensor& h, const Tensor& cell) {
  if (x.dtype() != h.dtype() || x.dtype() != cell.dtype() || !is_floating(x.dtype()))
    throw TypeError(name, "inputs are " + describe(inputs) + "; expected one floating type");
  const bool fits = cell.rank() == 2 && x.shape() == h.shape() && x.rank() == 2 &&
                    x.shape()[0] == cell.shape()[0] && x.shape()[1] == 4 * cell.shape()[1];
  if (!fits) {
    throw ShapeError(name,
                     "inputs are " + describe(inputs) + "; expected gates [N, 4H] twice and a cell [N, H]");
  }
}

/// Some twenty operations go into each exponential function.
Cost lstm_cost(Cost moved, const Tensor& cell) {
  moved.flops = 100 * cell.numel();
  return moved;
}

}  // namespace

void LstmCell::infer(Inputs inputs, OutputSpecs& outputs) const {
  const Tensor& cell = inputs[2];
  check_lstm(kName, inputs, inputs[0], inputs[1], cell);
  for (int i = 0; i < 2; ++i) outputs.push_back(OutputSpec::fresh(cell.shape(), cell.dtype()));
}

Tensors LstmCell::backward(const BackwardContext& context) const {
  const Tensors found = apply(LstmCellBackward(), {context.gradient(0), context.gradient(1), context.input(0),
                                                   context.input(1), context.input(2), context.output(1)});
  return {found[0], found[0], found[1]};
}

Tensors LstmCell::decompose(Inputs inputs) const {
  const Tensor gates = inputs[0] + inputs[1];
  const int64_t width = inputs[2].size(1);
  const auto gate = [&](int64_t i) { return narrow(gates, 1, i * width, width); };
  const Tensor cell = sigmoid(gate(1)) * inputs[2] + sigmoid(gate(0)) * tanh(gate(2));
  return {sigmoid(gate(3)) * tanh(cell), cell};
}

Cost LstmCell::cost(Inputs inputs, std::span<const OutputSpec> outputs) const {
  return lstm_cost(Operation::cost(inputs, outputs), inputs[2]);
}

std::vector<AxisTie> LstmCell::axis_ties(Inputs) const {
  // A unit has four rows of gates, which one tie of equal indices cannot say: only sequences may go.
  return {{{{0, 0}, {1, 0}, {2, 0}, {-1, 0}, {-2, 0}}}};
}

void LstmCellBackward::infer(Inputs inputs, OutputSpecs& outputs) const {
  const Tensor &x = inputs[2], &cell = inputs[4];
  check_lstm(kName, inputs, x, inputs[3], cell);
  for (const int i : {0, 1, 5}) {
    const Tensor& given = inputs[static_cast<size_t>(i)];
    if (!given.defined()) continue;
    if (given.dtype() != x.dtype())
      throw TypeError(kName, "inputs are " + describe(inputs) + "; expected one floating type");
    if (given.shape() != cell.shape()) {
      throw ShapeError(kName, "inputs are " + describe(inputs) + "; expected " + to_string(cell.shape()) +
                                  " for input " + std::to_string(i));
    }
  }
  outputs.push_back(OutputSpec::fresh(x.shape(), x.dtype()));
  outputs.push_back(OutputSpec::fresh(cell.shape(), cell.dtype()));
}

Cost LstmCellBackward::cost(Inputs inputs, std::span<const OutputSpec> outputs) const {
  return lstm_cost(Operation::cost(inputs, outputs), inputs[4]);
}

LstmState lstm_cell(const Tensor& from_input, const Tensor& from_hidden, const Tensor& cell) {
  const Tensors state = apply(LstmCell(), {from_input, from_hidden, cell});
  return {state[0], state[1]};
}

}  // namespace espalier
