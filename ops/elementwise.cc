#include "ops/elementwise.h"

#include <algorithm>
#include <string>

namespace espalier {

OutputSpec elementwise_spec(std::string_view name, Inputs inputs, ElementTypes types) {
  const Dtype dtype = inputs[0].dtype();
  const char* expected = nullptr;
  if (dtype >= Dtype::u16)
    expected = "u16, u32 and u64 only load and convert: cast them first";
  else if (types == ElementTypes::numbers && dtype == Dtype::boolean)
    expected = "bool has no such operation: expected integers or a floating type";
  else if (types == ElementTypes::floating && !is_floating(dtype))
    expected = "expected a floating type";
  else if (types == ElementTypes::boolean && dtype != Dtype::boolean)
    expected = "expected bool";
  if (expected) throw TypeError(name, "inputs " + describe(inputs) + ": " + expected);
  return elementwise_spec(name, inputs, dtype);
}

OutputSpec elementwise_spec(std::string_view name, Inputs inputs, Dtype output) {
  for (const Tensor& input : inputs) {
    if (input.dtype() != inputs[0].dtype()) {
      throw TypeError(name, "inputs " + describe(inputs) + " are of several types; convert them to one");
    }
  }
  return broadcast_spec(name, inputs, output);
}

OutputSpec broadcast_spec(std::string_view name, Inputs inputs, Dtype output) {
  Shape shape = inputs[0].shape();
  for (const Tensor& input : inputs) shape = broadcast_shapes(shape, input.shape(), name);
  for (const Tensor& input : inputs) {
    if (input.shape() == shape && is_dense(shape, input.strides())) {
      return OutputSpec::fresh(shape, input.strides(), output);
    }
  }
  return OutputSpec::fresh(shape, output);
}

std::vector<AxisTie> elementwise_ties(Inputs inputs) {
  int rank = 0;
  for (const Tensor& input : inputs) rank = std::max(rank, input.rank());
  std::vector<AxisTie> ties;
  for (int axis = 0; axis < rank; ++axis) {
    AxisTie tie;
    for (int i = 0; i < static_cast<int>(inputs.size()); ++i) {
      const Tensor& input = inputs[static_cast<size_t>(i)];
      const int own = axis - (rank - input.rank());
      if (own >= 0 && input.shape()[own] != 1) tie.axes.push_back({i, own});
    }
    if (tie.axes.empty()) continue;
    tie.axes.push_back({-1, axis});
    ties.push_back(std::move(tie));
  }
  return ties;
}

}  // namespace espalier
