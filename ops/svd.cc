#include "ops/svd.h"

#include <algorithm>

#include "ops/add.h"
#include "ops/divide.h"
#include "ops/linalg_internal.h"
#include "ops/matmul.h"
#include "ops/matrix_internal.h"
#include "ops/multiply.h"
#include "ops/permute.h"
#include "ops/promotion.h"
#include "ops/reshape.h"
#include "ops/subtract.h"

namespace espalier {
namespace {

/// The divide-and-conquer routine works in up to 4 k^2 + 7 k elements, which it counts in 32 bits.
constexpr int64_t kLargestSvd = 23000;

/// F o (X - X^T) for X = W^T G, the gradient of W turned into W's own frame.
Tensor rotation(const Tensor& weights, const Tensor& x) {
  return weights * (x - turned(x));
}

/// G less its part inside the space that the orthonormal columns of `basis` span.
Tensor outside(const Tensor& basis, const Tensor& g) {
  return g - matmul(basis, matmul(turned(basis), g));
}

}  // namespace

void Svd::infer(Inputs inputs, OutputSpecs& outputs) const {
  check_matrices(kName, inputs, 0);
  const Shape& shape = inputs[0].shape();
  const int64_t m = inputs[0].size(-2), n = inputs[0].size(-1), k = std::min(m, n);
  if (k > kLargestSvd) {
    throw ShapeError(kName, "inputs " + describe(inputs) +
                                "; the smaller side of the matrices is limited to " +
                                std::to_string(kLargestSvd));
  }
  for (const Shape& made : {with_matrix(shape, m, k), with_vector(shape, k), with_matrix(shape, k, n)})
    outputs.push_back(OutputSpec::fresh(made, inputs[0].dtype()));
}

Tensors Svd::backward(const BackwardContext& context) const {
  const Tensor &u = context.output(0), &s = context.output(1), &vt = context.output(2);
  const Tensor &of_u = context.gradient(0), &of_s = context.gradient(1), &of_vt = context.gradient(2);
  const int64_t m = u.size(-2), n = vt.size(-1), k = s.size(-1);
  const Tensor row = unsqueeze(s, -2), column = unsqueeze(s, -1);
  const Tensor identity = triangles(k, 0, 1, 0, s);
  Tensor middle, result;
  if (of_s.defined()) middle = identity * unsqueeze(of_s, -2);
  if (of_u.defined() || of_vt.defined()) {
    // The ones on the diagonal keep it from 0 / 0.
    const Tensor weights = triangles(k, 1, 0, 1, s) / ((row - column) * (row + column) + identity);
    if (of_u.defined()) middle = sum_of(middle, rotation(weights, matmul(turned(u), of_u)) * row);
    if (of_vt.defined()) middle = sum_of(middle, column * rotation(weights, matmul(vt, turned(of_vt))));
  }
  result = matmul(u, matmul(middle, vt));
  if (of_u.defined() && m > k) result = result + matmul(outside(u, of_u) / row, vt);
  if (of_vt.defined() && n > k) result = result + matmul(u / row, turned(outside(turned(vt), turned(of_vt))));
  return {result};
}

// Golub, Van Loan, "Matrix computations", figure 8.6.1: about 6 m n^2 + 20 n^3 for the thin factors, m >= n.
Cost Svd::cost(Inputs inputs, std::span<const OutputSpec> outputs) const {
  Cost cost = Operation::cost(inputs, outputs);
  const int64_t m = inputs[0].size(-2), n = inputs[0].size(-1), k = std::min(m, n);
  cost.flops = batch_size(inputs[0].shape()) * (6 * m * n * k + 20 * k * k * k);
  return cost;
}

std::vector<AxisTie> Svd::axis_ties(Inputs inputs) const {
  return batch_ties(inputs, 3);
}

SvdFactors svd(const Tensor& a) {
  check_defined(Svd::kName, a);
  Tensors outputs = apply(Svd(), {promoted_to_floating(Svd::kName, a)});
  return {std::move(outputs[0]), std::move(outputs[1]), std::move(outputs[2])};
}

}  // namespace espalier
