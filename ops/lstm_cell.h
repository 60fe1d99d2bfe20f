#pragma once

#include "core/door.h"

namespace espalier {

/// The elementwise part of a step of a long short-term memory: Hochreiter & Schmidhuber (1997), with the
/// forget gate of Gers, Schmidhuber, Cummins (2000). Inputs: the gates' sums as two parts that are added,
/// from the step's input and from the hidden state, both [N, 4H] and in PyTorch's order i, f, g, o; and the
/// cell's state c [N, H]. Outputs: the hidden state h = s(o) tanh(c'), and the cell's new state c' = s(f) c +
/// s(i) tanh(g), with s the logistic function.
class ESPALIER_API LstmCell final : public OperationOf<LstmCell> {
 public:
  static constexpr std::string_view kName = "lstm_cell";
  static KernelSlot slot;

  AutocastRule autocast_rule() const override { return AutocastRule::widen; }
  void infer(Inputs inputs, OutputSpecs& outputs) const override;
  Tensors backward(const BackwardContext& context) const override;
  SavedForBackward saved_for_backward() const override { return {.inputs = 0b111, .outputs = 0b10}; }
  bool decomposable() const override { return true; }
  Tensors decompose(Inputs inputs) const override;
  Cost cost(Inputs inputs, std::span<const OutputSpec> outputs) const override;
  std::vector<AxisTie> axis_ties(Inputs inputs) const override;
};

/// The gradients of lstm_cell with respect to either part of the gates, [N, 4H], and to c. Inputs: those that
/// came for h and c' (either may be absent), then the two parts, c and c'.
class ESPALIER_API LstmCellBackward final : public OperationOf<LstmCellBackward> {
 public:
  static constexpr std::string_view kName = "lstm_cell_backward";
  static KernelSlot slot;

  uint32_t optional_inputs() const override { return 0b11; }
  void infer(Inputs inputs, OutputSpecs& outputs) const override;
  Cost cost(Inputs inputs, std::span<const OutputSpec> outputs) const override;
};

struct LstmState {
  Tensor hidden, cell;  ///< [N, H] each
};

/// A step: `from_input` and `from_hidden` [N, 4H] are the gates' two summands, W_ih x + b_ih and W_hh h +
/// b_hh. Throws ShapeError unless they and `cell` [N, H] fit, TypeError where they are not of one floating
/// type.
ESPALIER_API LstmState lstm_cell(const Tensor& from_input, const Tensor& from_hidden, const Tensor& cell);

}  // namespace espalier
