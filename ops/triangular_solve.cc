#include "ops/triangular_solve.h"

#include "ops/linalg_internal.h"
#include "ops/matmul.h"
#include "ops/multiply.h"
#include "ops/permute.h"

namespace espalier {

void TriangularSolve::infer(Inputs inputs, OutputSpecs& outputs) const {
  check_system(kName, inputs);
  outputs.push_back(OutputSpec::fresh(inputs[1].shape(), inputs[1].dtype()));
}

Tensors TriangularSolve::backward(const BackwardContext& context) const {
  const Tensor &a = context.input(0), &x = context.output(0);
  TriangularOptions other = options_;
  other.transposed = !options_.transposed;
  Tensors gradients(2);
  gradients[1] = triangular_solve(a, context.gradient(0), other);
  if (context.wants(0)) {
    const Tensor& h = gradients[1];
    const Tensor product =
        options_.transposed ? matmul(x, transpose(h, -2, -1)) : matmul(h, transpose(x, -2, -1));
    gradients[0] = product * triangles(a.size(-1), options_.lower ? -1 : 0, options_.unit_diagonal ? 0 : -1,
                                       options_.lower ? 0 : -1, a);
  }
  return gradients;
}

Cost TriangularSolve::cost(Inputs inputs, std::span<const OutputSpec> outputs) const {
  Cost cost = Operation::cost(inputs, outputs);
  cost.flops = count(outputs[0].shape) * inputs[0].size(-1);
  return cost;
}

std::vector<AxisTie> TriangularSolve::axis_ties(Inputs inputs) const {
  std::vector<AxisTie> ties = batch_ties(inputs, 1);
  const int columns = inputs[1].rank() - 1;
  ties.push_back({{{1, columns}, {-1, columns}}});
  return ties;
}

Tensor triangular_solve(const Tensor& a, const Tensor& b, TriangularOptions options) {
  const System system(TriangularSolve::kName, a, b);
  return system.solution(apply_one(TriangularSolve(options), system.a(), system.b()));
}

}  // namespace espalier
