#include "ops/gather.h"

#include <string>

#include "core/create.h"
#include "ops/cast.h"
#include "ops/concat.h"
#include "ops/equal.h"
#include "ops/expand.h"
#include "ops/multiply.h"
#include "ops/picking_internal.h"
#include "ops/reshape.h"
#include "ops/subtract.h"

namespace espalier {
namespace {

/// Throws unless `index` picks along `axis` of a tensor of shape `table`.
void check_index(std::string_view name, Inputs inputs, const Shape& table, int axis) {
  const Tensor& index = inputs[1];
  check_picking_index(name, inputs);
  bool fits = index.rank() == table.rank();
  for (int i = 0; fits && i < table.rank(); ++i) fits = i == axis || index.shape()[i] <= table[i];
  if (!fits) {
    throw ShapeError(name,
                     "inputs " + describe(inputs) +
                         "; expected an index of as many axes, and at most as long along all but axis " +
                         std::to_string(axis));
  }
}

void check_source(std::string_view name, Inputs inputs) {
  if (inputs[2].shape() != inputs[1].shape())
    throw ShapeError(name, "inputs " + describe(inputs) + "; expected a source of the index's shape");
  if (inputs[0].defined() && inputs[2].dtype() != inputs[0].dtype())
    throw TypeError(name, "inputs " + describe(inputs) + "; expected a source of the first one's type");
}

/// Axes other than `axis` shrink together in all operands where the index is as long as the table.
std::vector<AxisTie> line_ties(Inputs inputs, const Shape& table, int axis, bool output_is_table) {
  const Shape& index = inputs[1].shape();
  std::vector<AxisTie> ties;
  for (int i = 0; i < index.rank(); ++i) {
    if (i == axis) continue;
    AxisTie tie;
    for (int input = 0; input < static_cast<int>(inputs.size()); ++input) {
      if (inputs[static_cast<size_t>(input)].defined()) tie.axes.push_back({input, i});
    }
    tie.axes.push_back({-1, i});
    if (table[i] == index[i]) ties.push_back(std::move(tie));
  }
  // Along the indexed axis the index itself may shrink, with what has its shape.
  if (!output_is_table) ties.push_back({{{1, axis}, {-1, axis}}});
  return ties;
}

}  // namespace

void Gather::infer(Inputs inputs, OutputSpecs& outputs) const {
  check_index(kName, inputs, inputs[0].shape(), axis(inputs[0].rank()));
  outputs.push_back(OutputSpec::fresh(inputs[1].shape(), inputs[0].dtype()));
}

Tensors Gather::backward(const BackwardContext& context) const {
  Shape shape = context.input_shape(0);
  const int along = axis(shape.rank());
  for (int i = 0; i < shape.rank(); ++i) {
    if (i != along && shape[i] == context.input_shape(1)[i]) shape[i] = -1;
  }
  return {apply_one(ScatterAdd(along, shape), Tensor(), context.input(1), context.gradient(0)), {}};
}

Cost Gather::cost(Inputs inputs, std::span<const OutputSpec> outputs) const {
  return cost_of_picking(inputs[1], outputs[0]);
}

std::vector<AxisTie> Gather::axis_ties(Inputs inputs) const {
  return line_ties(inputs, inputs[0].shape(), axis(inputs[0].rank()), false);
}

Tensor gather(const Tensor& x, int64_t axis, const Tensor& index) {
  return apply_one(Gather(axis), x, index);
}

void Scatter::infer(Inputs inputs, OutputSpecs& outputs) const {
  check_index(kName, inputs, inputs[0].shape(), axis(inputs[0].rank()));
  check_source(kName, inputs);
  outputs.push_back(OutputSpec::fresh(inputs[0].shape(), inputs[0].dtype()));
}

Tensors Scatter::backward(const BackwardContext& context) const {
  const Tensor &gradient = context.gradient(0), &index = context.input(1);
  const Shape& shape = context.input_shape(0);
  const int along = axis(shape.rank());
  Tensors gradients{{}, {}, {}};
  if (context.wants(0)) gradients[0] = scatter(gradient, along, index, 0);
  if (context.wants(2)) {
    // Who stayed is found by scattering the places themselves. The others read a zero behind the gradient's
    // end: a product with a mask would make NaN of an infinite gradient.
    const Tensor place = cast(index, Dtype::i64);
    const Device device = index.device();
    Shape line = Dims::filled(shape.rank(), 1);
    line[along] = -1;
    const Tensor number =
        expand(reshape(arange(index.shape()[along], Dtype::i64, device), line), index.shape());
    const Tensor last = gather(scatter(zeros(shape, Dtype::i64, device), along, index, number), along, index);
    const Tensor stayed = cast(equal(last, number), Dtype::i64);
    line = shape;
    line[along] = 1;
    const Tensor extended = concat({gradient, zeros(line, gradient.dtype(), device)}, along);
    gradients[2] = gather(extended, along, shape[along] - stayed * (shape[along] - place));
  }
  return gradients;
}

std::vector<AxisTie> Scatter::axis_ties(Inputs inputs) const {
  return line_ties(inputs, inputs[0].shape(), axis(inputs[0].rank()), true);
}

Tensor scatter(const Tensor& x, int64_t axis, const Tensor& index, const Tensor& source) {
  return apply_one(Scatter(axis), x, index, source);
}

Tensor scatter(const Tensor& x, int64_t axis, const Tensor& index, Scalar value) {
  const Tensor inputs[] = {x, index};
  check_defined(Scatter::kName, inputs);
  return scatter(x, axis, index, expand(full({}, value, x.dtype(), x.device()), index.shape()));
}

void ScatterAdd::infer(Inputs inputs, OutputSpecs& outputs) const {
  Shape shape = inputs[0].defined() ? inputs[0].shape() : shape_;
  for (int i = 0; i < shape.rank() && i < inputs[1].rank(); ++i) {
    if (shape[i] == -1) shape[i] = inputs[1].shape()[i];
  }
  check_index(kName, inputs, shape, axis(shape.rank()));
  check_source(kName, inputs);
  if (inputs[2].dtype() >= Dtype::u16)
    throw TypeError(kName, "inputs " + describe(inputs) + ": u16, u32 and u64 only load and convert");
  checked_count(shape, kName);
  outputs.push_back(OutputSpec::fresh(shape, inputs[2].dtype()));
}

Tensors ScatterAdd::backward(const BackwardContext& context) const {
  const Tensor& gradient = context.gradient(0);
  return {context.wants(0) ? gradient : Tensor(),
          {},
          context.wants(2) ? gather(gradient, axis(gradient.rank()), context.input(1)) : Tensor()};
}

Cost ScatterAdd::cost(Inputs inputs, std::span<const OutputSpec> outputs) const {
  Cost cost = Operation::cost(inputs, outputs);
  cost.flops = inputs[2].numel();
  return cost;
}

std::vector<AxisTie> ScatterAdd::axis_ties(Inputs inputs) const {
  if (inputs[0].defined()) return line_ties(inputs, inputs[0].shape(), axis(inputs[0].rank()), true);
  // Sizes that stand in the attributes stay.
  Shape shape = inputs[1].shape();
  for (int i = 0; i < shape.rank(); ++i) {
    if (shape_[i] != -1) shape[i] = -1;
  }
  return line_ties(inputs, shape, axis(shape.rank()), true);
}

Tensor scatter_add(const Tensor& x, int64_t axis, const Tensor& index, const Tensor& source) {
  return apply_one(ScatterAdd(axis), x, index, source);
}

}  // namespace espalier
