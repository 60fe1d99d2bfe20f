#include "ops/one_hot.h"

#include "ops/class_indices_internal.h"
#include "ops/copy.h"

namespace espalier {

void OneHot::infer(Inputs inputs, OutputSpecs& outputs) const {
  check_index_type(kName, inputs[0]);
  Shape shape = inputs[0].shape();
  shape.push_back(classes_);
  checked_count(shape, kName);
  outputs.push_back(OutputSpec::fresh(shape, dtype_));
}

std::vector<AxisTie> OneHot::axis_ties(Inputs inputs) const {
  std::vector<AxisTie> ties;
  for (int i = 0; i < inputs[0].rank(); ++i) ties.push_back({{{0, i}, {-1, i}}});
  return ties;
}

Tensor one_hot(const Tensor& indices, int64_t classes, Dtype dtype) {
  return apply_one(OneHot(classes, dtype), indices.defined() ? contiguous(indices) : indices);
}

}  // namespace espalier
