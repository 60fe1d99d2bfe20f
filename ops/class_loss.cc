#include <string>

#include "ops/cast.h"
#include "ops/class_indices_internal.h"
#include "ops/class_loss_internal.h"
#include "ops/copy.h"
#include "ops/equal.h"
#include "ops/multiply.h"
#include "ops/one_hot.h"
#include "ops/permute.h"
#include "ops/reshape.h"
#include "ops/subtract.h"

namespace espalier {

void check_class_weight(std::string_view name, Inputs inputs, const Tensor& scores, const Tensor& weight) {
  if (!weight.defined()) return;
  if (weight.dtype() != scores.dtype())
    throw TypeError(name, "inputs are " + describe(inputs) + "; expected class weights of the scores' type");
  if (weight.shape() != Shape{scores.shape().back()}) {
    throw ShapeError(name, "class weights are " + describe(weight) + " for scores " + describe(scores) +
                               "; expected one weight for each class, [" +
                               std::to_string(scores.shape().back()) + "]");
  }
}

void check_class_loss(std::string_view name, Inputs inputs, const Tensor& scores, const Tensor& targets,
                      const Tensor& weight) {
  check_loss_type(name, scores.dtype(), inputs);
  check_index_type(name, targets);
  Shape rows = scores.shape();
  if (!rows.empty()) rows.erase(rows.rank() - 1);
  if (scores.rank() == 0 || targets.shape() != rows) {
    throw ShapeError(name,
                     "scores, with their class axis last, are " + describe(scores) + " and targets " +
                         describe(targets) +
                         "; expected [..., classes] and [...] (for [N, classes, ...] set class_axis = 1)");
  }
  check_class_weight(name, inputs, scores, weight);
}

Tensor classes_last(std::string_view name, const Tensor& scores, int64_t class_axis) {
  check_defined(name, scores);
  if (scores.rank() == 0)
    throw ShapeError(name, "scores are " + describe(scores) + "; expected a class axis");
  const int axis = normalize_axis(class_axis, scores.rank(), name);
  if (axis == scores.rank() - 1) return contiguous(scores);
  Dims order;
  for (int i = 0; i < scores.rank(); ++i) {
    if (i != axis) order.push_back(i);
  }
  order.push_back(axis);
  return contiguous(permute(scores, order));
}

Tensor class_weight(std::string_view name, const Tensor& weight) {
  if (!weight.defined()) return weight;
  if (weight.requires_grad()) throw GradientError(name, "class weights have no gradient: detach() them");
  return contiguous(weight);
}

Tensor weighted_one_hot(const Tensor& targets, const Tensor& weight, int64_t ignored, int64_t classes,
                        Dtype dtype) {
  const Tensor taken = 1 - cast(equal(targets, ignored), targets.dtype());
  Tensor result = one_hot(targets * taken, classes, dtype) * unsqueeze(cast(taken, dtype), -1);
  return weight.defined() ? result * weight : result;
}

}  // namespace espalier
