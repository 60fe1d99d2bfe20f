#include <string>
#include <vector>

#include "core/create.h"
#include "core/error.h"
#include "runtime/family_parts_internal.h"
#include "runtime/graph_family.h"

namespace espalier::runtime {
namespace {

/// The examples with these sizes along the free axes.
std::vector<Tensor> resized(Inputs examples, const std::vector<FreeAxis>& axes, const Sizes& sizes) {
  std::vector<Tensor> inputs(examples.begin(), examples.end());
  for (const FreeAxis& axis : axes) {
    Tensor& input = inputs[static_cast<size_t>(axis.input)];
    Shape shape = input.shape();
    shape[axis.axis] = sizes.at(axis.name);
    // The order of the axes in memory stays.
    input = empty_strided(shape, strides_nested_like(shape, input.shape(), input.strides()), input.dtype(),
                          kMeta);
  }
  return inputs;
}

Sizes sizes_of_examples(const std::vector<FreeAxis>& axes, Inputs examples) {
  Sizes sizes;
  for (const FreeAxis& axis : axes) {
    const bool there = axis.input >= 0 && static_cast<size_t>(axis.input) < examples.size() &&
                       examples[static_cast<size_t>(axis.input)].defined() && axis.axis >= 0 &&
                       axis.axis < examples[static_cast<size_t>(axis.input)].rank();
    if (!there)
      throw ValueError(kFamily, "the examples have no axis " + std::to_string(axis.axis) + " of input " +
                                    std::to_string(axis.input) + ", which is to be " + axis.name);
    const int64_t size = examples[static_cast<size_t>(axis.input)].shape()[axis.axis];
    if (sizes.try_emplace(axis.name, size).first->second != size)
      throw ValueError(kFamily, "the examples have two sizes for " + axis.name + ", " +
                                    std::to_string(sizes.at(axis.name)) + " and " + std::to_string(size));
  }
  return sizes;
}

}  // namespace

GraphFamily capture_family(const Function& f, const std::vector<FreeAxis>& axes, Inputs examples,
                           const State& state) {
  return GraphFamily::of(
      [&](const Sizes& sizes) { return capture(f, resized(examples, axes, sizes), state); }, axes,
      sizes_of_examples(axes, examples));
}

}  // namespace espalier::runtime
