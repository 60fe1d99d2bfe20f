#include "ops/cholesky.h"

#include "ops/add.h"
#include "ops/linalg_internal.h"
#include "ops/matmul.h"
#include "ops/multiply.h"
#include "ops/permute.h"
#include "ops/promotion.h"
#include "ops/triangular_solve.h"

namespace espalier {

void Cholesky::infer(Inputs inputs, OutputSpecs& outputs) const {
  check_square(kName, inputs, 0);
  outputs.push_back(OutputSpec::fresh(inputs[0].shape(), inputs[0].dtype()));
}

Tensors Cholesky::backward(const BackwardContext& context) const {
  const Tensor& l = context.output(0);
  const Tensor phi = matmul(transpose(l, -2, -1), context.gradient(0)) * triangles(l.size(-1), 1, 0.5, 0, l);
  // L^-T phi, and then (.) L^-1 as the transpose of L^-T (.)^T.
  const TriangularOptions transposed = {.transposed = true};
  const Tensor left = triangular_solve(l, phi, transposed);
  const Tensor both = triangular_solve(l, transpose(left, -2, -1), transposed);
  return {(both + transpose(both, -2, -1)) * 0.5};
}

Cost Cholesky::cost(Inputs inputs, std::span<const OutputSpec> outputs) const {
  Cost cost = Operation::cost(inputs, outputs);
  const int64_t n = inputs[0].size(-1);
  cost.flops = batch_size(inputs[0].shape()) * n * n * n / 3;
  return cost;
}

std::vector<AxisTie> Cholesky::axis_ties(Inputs inputs) const {
  return batch_ties(inputs, 1);
}

Tensor cholesky(const Tensor& a) {
  check_defined(Cholesky::kName, a);
  return apply_one(Cholesky(), promoted_to_floating(Cholesky::kName, a));
}

}  // namespace espalier
