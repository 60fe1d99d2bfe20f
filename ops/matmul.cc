#include "ops/matmul.h"

#include <algorithm>
#include <string>

#include "ops/matrix_internal.h"
#include "ops/multiply.h"
#include "ops/permute.h"
#include "ops/reshape.h"
#include "ops/sum.h"

namespace espalier {
namespace {

/// Which axes of the operands and the result play which part; -1 for the axis that a vector lacks.
struct ProductAxes {
  int a_row, a_inner, b_inner, b_column;
  int batch;  ///< leading axes of the result

  ProductAxes(const Shape& a, const Shape& b)
      : a_row(a.rank() - 2),
        a_inner(a.rank() - 1),
        b_inner(std::max(b.rank() - 2, 0)),
        b_column(b.rank() > 1 ? b.rank() - 1 : -1),
        batch(std::max({a.rank() - 2, b.rank() - 2, 0})) {}

  int row_axes() const noexcept { return a_row >= 0 ? 1 : 0; }
};

[[noreturn]] void do_not_fit(Inputs inputs) {
  throw ShapeError(MatMul::kName, "cannot multiply " + describe(inputs) +
                                      "; expected [..., m, k] and [..., k, n], or a vector [k] on either "
                                      "side, with leading axes that broadcast");
}

/// The size of leading axis `axis`, counted from the last one (0), or 1 where the operand has none.
int64_t leading_size(const Shape& shape, int axis) {
  const int own = shape.rank() - 3 - axis;
  return own >= 0 ? shape[own] : 1;
}

Shape with_inserted(const Shape& shape, int axis) {
  Shape result = shape;
  result.insert(axis, 1);
  return result;
}

}  // namespace

void MatMul::infer(Inputs inputs, OutputSpecs& outputs) const {
  const Shape &a = inputs[0].shape(), &b = inputs[1].shape();
  if (inputs[0].dtype() != inputs[1].dtype()) {
    throw TypeError(kName, "inputs " + describe(inputs) + " are of two types; convert them to one");
  }
  if (a.empty() || b.empty()) do_not_fit(inputs);
  const ProductAxes roles(a, b);
  if (a[roles.a_inner] != b[roles.b_inner]) do_not_fit(inputs);
  Shape shape;
  for (int axis = roles.batch - 1; axis >= 0; --axis) {
    const int64_t x = leading_size(a, axis), y = leading_size(b, axis);
    if (x != y && x != 1 && y != 1) do_not_fit(inputs);
    shape.push_back(x == 1 ? y : x);
  }
  if (roles.a_row >= 0) shape.push_back(a[roles.a_row]);
  if (roles.b_column >= 0) shape.push_back(b[roles.b_column]);
  checked_count(shape, kName);
  outputs.push_back(OutputSpec::fresh(shape, inputs[0].dtype()));
}

Tensors MatMul::backward(const BackwardContext& context) const {
  Tensor a = context.input(0), b = context.input(1), gradient = context.gradient(0);
  const ProductAxes roles(a.shape(), b.shape());
  // Vectors become matrices, and the gradient gets back the axis that the result has lost.
  if (roles.a_row < 0) {
    a = reshape(a, with_inserted(a.shape(), 0));
    gradient = reshape(gradient, with_inserted(gradient.shape(), roles.batch));
  }
  if (roles.b_column < 0) {
    b = reshape(b, with_inserted(b.shape(), 1));
    gradient = reshape(gradient, with_inserted(gradient.shape(), gradient.rank()));
  }
  // One matrix for a whole batch: a single product with longer rows, instead of many and a sum.
  if (b.rank() == 2 && a.rank() > 2) {
    a = as_matrix(a);
    gradient = as_matrix(gradient);
  }
  Tensors gradients(2);
  if (context.wants(0)) {
    const Tensor product = matmul(gradient, transpose(b, -2, -1));
    gradients[0] = reshape(sum_to(product, a.shape()), context.input_shape(0));
  }
  if (context.wants(1)) {
    const Tensor product = matmul(transpose(a, -2, -1), gradient);
    gradients[1] = reshape(sum_to(product, b.shape()), context.input_shape(1));
  }
  return gradients;
}

Cost MatMul::cost(Inputs inputs, std::span<const OutputSpec> outputs) const {
  Cost cost = Operation::cost(inputs, outputs);
  cost.flops = 2 * count(outputs[0].shape) * inputs[0].shape().back();
  return cost;
}

std::vector<AxisTie> MatMul::axis_ties(Inputs inputs) const {
  const Shape &a = inputs[0].shape(), &b = inputs[1].shape();
  const ProductAxes roles(a, b);
  std::vector<AxisTie> ties;
  for (int axis = 0; axis < roles.batch; ++axis) {
    AxisTie tie;
    const int of_a = a.rank() - 2 - roles.batch + axis, of_b = b.rank() - 2 - roles.batch + axis;
    if (of_a >= 0 && a[of_a] != 1) tie.axes.push_back({0, of_a});
    if (of_b >= 0 && b[of_b] != 1) tie.axes.push_back({1, of_b});
    tie.axes.push_back({-1, axis});
    ties.push_back(std::move(tie));
  }
  if (roles.a_row >= 0) ties.push_back({{{0, roles.a_row}, {-1, roles.batch}}});
  if (roles.b_column >= 0) ties.push_back({{{1, roles.b_column}, {-1, roles.batch + roles.row_axes()}}});
  ties.push_back({{{0, roles.a_inner}, {1, roles.b_inner}}});
  return ties;
}

Tensor matmul(const Tensor& a, const Tensor& b) {
  return apply_one(MatMul(), a, b);
}

Tensor dot(const Tensor& a, const Tensor& b) {
  const Tensor inputs[] = {a, b};
  check_defined("dot", inputs);
  if (a.rank() != 1 || b.rank() != 1 || a.shape() != b.shape())
    throw ShapeError("dot", "operands are " + describe(inputs) + "; expected two vectors of one length");
  return matmul(a, b);
}

Tensor outer(const Tensor& a, const Tensor& b) {
  const Tensor inputs[] = {a, b};
  check_defined("outer", inputs);
  if (a.rank() != 1 || b.rank() != 1)
    throw ShapeError("outer", "operands are " + describe(inputs) + "; expected two vectors");
  return unsqueeze(a, 1) * b;
}

}  // namespace espalier
