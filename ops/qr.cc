#include "ops/qr.h"

#include <algorithm>

#include "ops/add.h"
#include "ops/concat.h"
#include "ops/linalg_internal.h"
#include "ops/matmul.h"
#include "ops/matrix_internal.h"
#include "ops/multiply.h"
#include "ops/negate.h"
#include "ops/permute.h"
#include "ops/promotion.h"
#include "ops/slice.h"
#include "ops/subtract.h"
#include "ops/triangular_solve.h"

namespace espalier {
namespace {

/// The gradient of a matrix with at least as many rows as columns; either gradient may be absent.
Tensor backward_of_tall(const Tensor& q, const Tensor& r, const Tensor& of_q, const Tensor& of_r) {
  Tensor m;
  if (of_r.defined()) m = matmul(r, turned(of_r));
  if (of_q.defined()) m = sum_of(m, -matmul(turned(of_q), q));
  const int64_t n = r.size(-1);
  const Tensor lower = m * triangles(n, 1, 0.5, 0, m);
  const Tensor sides = sum_of(of_q, matmul(q, lower + turned(lower)));
  // X R^T = sides, as R X^T = sides^T.
  return turned(triangular_solve(r, turned(sides), {.lower = false}));
}

}  // namespace

void Qr::infer(Inputs inputs, OutputSpecs& outputs) const {
  check_matrices(kName, inputs, 0);
  const int64_t m = inputs[0].size(-2), n = inputs[0].size(-1), k = std::min(m, n);
  for (const Shape& shape : {with_matrix(inputs[0].shape(), m, k), with_matrix(inputs[0].shape(), k, n)})
    outputs.push_back(OutputSpec::fresh(shape, inputs[0].dtype()));
}

Tensors Qr::backward(const BackwardContext& context) const {
  const Tensor &q = context.output(0), &r = context.output(1);
  const Tensor &of_q = context.gradient(0), &of_r = context.gradient(1);
  const int64_t k = r.size(-2);
  if (r.size(-1) == k) return {backward_of_tall(q, r, of_q, of_r)};
  // A = [X Y], R = [U V] with Q U = X and V = Q^T Y.
  const Range first = {0, k}, rest = {k, kEnd};
  const Tensor u = slice(r, -1, first), v = slice(r, -1, rest);
  Tensor of_all_q = of_q, of_u, of_y;
  if (of_r.defined()) {
    of_u = slice(of_r, -1, first);
    const Tensor of_v = slice(of_r, -1, rest);
    of_all_q = sum_of(of_q, matmul(matmul(q, v), turned(of_v)));
    of_y = matmul(q, of_v);
  } else {
    of_y = zeros(with_matrix(r.shape(), k, r.size(-1) - k), r.dtype(), r.device());
  }
  return {concat({backward_of_tall(q, u, of_all_q, of_u), of_y}, -1)};
}

// Golub, Van Loan, "Matrix computations", section 5.2: 2 n^2 (m - n / 3) each for R and for Q.
Cost Qr::cost(Inputs inputs, std::span<const OutputSpec> outputs) const {
  Cost cost = Operation::cost(inputs, outputs);
  const int64_t m = inputs[0].size(-2), n = inputs[0].size(-1), k = std::min(m, n);
  cost.flops = batch_size(inputs[0].shape()) * (4 * m * n * k - k * k * k * 4 / 3);
  return cost;
}

std::vector<AxisTie> Qr::axis_ties(Inputs inputs) const {
  return batch_ties(inputs, 2);
}

QrFactors qr(const Tensor& a) {
  check_defined(Qr::kName, a);
  Tensors outputs = apply(Qr(), {promoted_to_floating(Qr::kName, a)});
  return {std::move(outputs[0]), std::move(outputs[1])};
}

}  // namespace espalier
