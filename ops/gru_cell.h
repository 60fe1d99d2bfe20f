#pragma once

#include "core/door.h"

namespace espalier {

/// The elementwise part of a step of a gated recurrent unit (Cho et al. 2014), in the form in which PyTorch
/// and cuDNN have it, where the reset gate acts behind the product: r = s(x_r + h_r), z = s(x_z + h_z), n =
/// tanh(x_n + r h_n), h' = (1 - z) n + z h, with s the logistic function. Inputs: x = W_ih x + b_ih and h =
/// W_hh h + b_hh, both [N, 3H] in the order r, z, n, and the hidden state [N, H]. Output: the new one.
class ESPALIER_API GruCell final : public OperationOf<GruCell> {
 public:
  static constexpr std::string_view kName = "gru_cell";
  static KernelSlot slot;

  AutocastRule autocast_rule() const override { return AutocastRule::widen; }
  void infer(Inputs inputs, OutputSpecs& outputs) const override;
  Tensors backward(const BackwardContext& context) const override;
  bool decomposable() const override { return true; }
  Tensors decompose(Inputs inputs) const override;
  Cost cost(Inputs inputs, std::span<const OutputSpec> outputs) const override;
  std::vector<AxisTie> axis_ties(Inputs inputs) const override;
};

/// The gradients of gru_cell with respect to its inputs. Inputs: the one that came for h', then those of
/// gru_cell.
class ESPALIER_API GruCellBackward final : public OperationOf<GruCellBackward> {
 public:
  static constexpr std::string_view kName = "gru_cell_backward";
  static KernelSlot slot;

  void infer(Inputs inputs, OutputSpecs& outputs) const override;
  Cost cost(Inputs inputs, std::span<const OutputSpec> outputs) const override;
};

/// A step: `from_input` and `from_hidden` [N, 3H] are W_ih x + b_ih and W_hh h + b_hh, `hidden` [N, H] is h;
/// gives the new hidden state. Throws ShapeError unless they fit, TypeError where they are not of one
/// floating type.
ESPALIER_API Tensor gru_cell(const Tensor& from_input, const Tensor& from_hidden, const Tensor& hidden);

}  // namespace espalier
