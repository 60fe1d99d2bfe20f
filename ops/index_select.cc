#include "ops/index_select.h"

#include <string>

#include "ops/picking_internal.h"

namespace espalier {
namespace {

void check_one_axis_of_indices(std::string_view name, Inputs inputs) {
  check_picking_index(name, inputs);
  if (inputs[1].rank() != 1)
    throw ShapeError(name, "inputs " + describe(inputs) + "; expected indices of one axis");
}

/// All axes but the indexed one belong together.
std::vector<AxisTie> other_ties(Inputs inputs, int rank, int axis) {
  std::vector<AxisTie> ties;
  for (int i = 0; i < rank; ++i) {
    if (i == axis) continue;
    AxisTie tie{{{-1, i}}};
    for (const int input : {0, 2}) {
      const auto at = static_cast<size_t>(input);
      if (at < inputs.size() && inputs[at].defined()) tie.axes.push_back({input, i});
    }
    ties.push_back(std::move(tie));
  }
  return ties;
}

}  // namespace

void IndexSelect::infer(Inputs inputs, OutputSpecs& outputs) const {
  const int along = axis(inputs[0].rank());
  check_one_axis_of_indices(kName, inputs);
  Shape shape = inputs[0].shape();
  shape[along] = inputs[1].numel();
  checked_count(shape, kName);
  outputs.push_back(OutputSpec::fresh(shape, inputs[0].dtype()));
}

Tensors IndexSelect::backward(const BackwardContext& context) const {
  const Shape& shape = context.input_shape(0);
  const int along = axis(shape.rank());
  return {apply_one(IndexAdd(along, shape[along]), Tensor(), context.input(1), context.gradient(0)), {}};
}

Cost IndexSelect::cost(Inputs inputs, std::span<const OutputSpec> outputs) const {
  return cost_of_picking(inputs[1], outputs[0]);
}

std::vector<AxisTie> IndexSelect::axis_ties(Inputs inputs) const {
  const int rank = inputs[0].rank();
  std::vector<AxisTie> ties = other_ties(inputs, rank, axis(rank));
  ties.push_back({{{1, 0}, {-1, axis(rank)}}});
  return ties;
}

Tensor index_select(const Tensor& x, int64_t axis, const Tensor& indices) {
  return apply_one(IndexSelect(axis), x, indices);
}

void IndexAdd::infer(Inputs inputs, OutputSpecs& outputs) const {
  const Tensor &x = inputs[0], &source = inputs[2];
  check_one_axis_of_indices(kName, inputs);
  Shape shape = x.defined() ? x.shape() : source.shape();
  const int along = axis(shape.rank());
  if (!x.defined()) shape[along] = size_;
  bool fits = source.rank() == shape.rank();
  for (int i = 0; fits && i < shape.rank(); ++i)
    fits = source.shape()[i] == (i == along ? inputs[1].numel() : shape[i]);
  if (!fits) {
    throw ShapeError(kName, "inputs " + describe(inputs) +
                                "; expected a source with as many slices along axis " +
                                std::to_string(along) + " as there are indices, and else of x's shape");
  }
  if (x.defined() && x.dtype() != source.dtype())
    throw TypeError(kName, "inputs " + describe(inputs) + "; expected a source of x's type");
  if (source.dtype() >= Dtype::u16)
    throw TypeError(kName, "inputs " + describe(inputs) + ": u16, u32 and u64 only load and convert");
  checked_count(shape, kName);
  outputs.push_back(OutputSpec::fresh(shape, source.dtype()));
}

Tensors IndexAdd::backward(const BackwardContext& context) const {
  const Tensor& gradient = context.gradient(0);
  return {context.wants(0) ? gradient : Tensor(),
          {},
          context.wants(2) ? index_select(gradient, axis(gradient.rank()), context.input(1)) : Tensor()};
}

Cost IndexAdd::cost(Inputs inputs, std::span<const OutputSpec> outputs) const {
  Cost cost = Operation::cost(inputs, outputs);
  cost.flops = inputs[2].numel();
  return cost;
}

std::vector<AxisTie> IndexAdd::axis_ties(Inputs inputs) const {
  return other_ties(inputs, inputs[2].rank(), axis(inputs[2].rank()));
}

Tensor index_add(const Tensor& x, int64_t axis, const Tensor& indices, const Tensor& source) {
  check_defined(IndexAdd::kName, x);
  return apply_one(IndexAdd(axis), x, indices, source);
}

}  // namespace espalier
