#include "ops/loss.h"

#include <cmath>
#include <string>

#include "ops/cast.h"
#include "ops/loss_internal.h"
#include "ops/mean.h"
#include "ops/multiply.h"
#include "ops/narrow_types_internal.h"
#include "ops/sum.h"

namespace espalier {

namespace {

constexpr std::string_view kReductionNames[] = {"mean", "sum", "none"};

}  // namespace

std::string_view to_string(LossReduction reduction) noexcept {
  return kReductionNames[static_cast<size_t>(reduction)];
}

void visit_attribute(AttributeVisitor& visit, std::string_view name, LossReduction& reduction) {
  visit(name, reduction, kReductionNames);
}

void check_loss_type(std::string_view name, Dtype type, Inputs inputs) {
  if (is_floating(type) && size_of(type) > 1) return;
  throw TypeError(name, "inputs " + describe(inputs) + ": expected f64, f32, f16 or bf16, not " +
                            std::string(to_string(type)));
}

void check_loss_types(std::string_view name, Inputs inputs) {
  check_defined(name, inputs);
  check_loss_type(name, inputs[0].dtype(), inputs);
  for (const Tensor& input : inputs) {
    if (input.dtype() != inputs[0].dtype())
      throw TypeError(name, "inputs are " + describe(inputs) + "; expected one type");
  }
}

void check_loss_inputs(std::string_view name, Inputs inputs) {
  check_loss_types(name, inputs);
  for (const Tensor& input : inputs) {
    if (input.shape() != inputs[0].shape())
      throw ShapeError(name, "inputs are " + describe(inputs) + "; expected one shape");
  }
}

Tensor widened(const Tensor& x) {
  return is_narrow(x.dtype()) ? cast(x, Dtype::f32) : x;
}

void check_loss_option(std::string_view name, std::string_view option, double value, bool positive) {
  if (std::isfinite(value) && (positive ? value > 0 : value >= 0)) return;
  throw ValueError(name, std::string(option) + " " + std::to_string(value) + ": expected a finite number, " +
                             (positive ? "above 0" : "0 or above"));
}

void check_margin(std::string_view name, double margin) {
  if (!std::isfinite(margin))
    throw ValueError(name, "margin " + std::to_string(margin) + ": expected a finite number");
}

Dims position_of(int64_t index, const Shape& shape) {
  Dims position = Dims::filled(shape.rank(), 0);
  for (int axis = shape.rank() - 1; axis >= 0; --axis) {
    position[axis] = index % shape[axis];
    index /= shape[axis];
  }
  return position;
}

Tensor reduced_loss(const Tensor& terms, LossReduction reduction) {
  if (reduction == LossReduction::none) return terms;
  return reduction == LossReduction::sum ? sum(terms) : mean(terms);
}

Tensor weighted_loss(std::string_view name, const Tensor& terms, const Tensor& weight,
                     LossReduction reduction) {
  if (broadcast_shapes(terms.shape(), weight.shape(), name) != terms.shape()) {
    throw ShapeError(name, "weights are " + describe(weight) + " for terms " + describe(terms) +
                               "; expected a shape that broadcasts to theirs");
  }
  return reduced_loss(terms * weight, reduction);
}

Tensor term_gradient(const Tensor& gradient, LossReduction reduction, int64_t count) {
  return reduction == LossReduction::mean ? gradient * (1 / static_cast<double>(count)) : gradient;
}

}  // namespace espalier
