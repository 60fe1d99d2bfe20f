#include "ops/solve.h"

#include "ops/linalg_internal.h"
#include "ops/matmul.h"
#include "ops/negate.h"
#include "ops/permute.h"
#include "ops/promotion.h"

namespace espalier {

void Solve::infer(Inputs inputs, OutputSpecs& outputs) const {
  check_system(kName, inputs);
  outputs.push_back(OutputSpec::fresh(inputs[1].shape(), inputs[1].dtype()));
}

Tensors Solve::backward(const BackwardContext& context) const {
  Tensors gradients(2);
  gradients[1] = solve(transpose(context.input(0), -2, -1), context.gradient(0));
  if (context.wants(0)) gradients[0] = -matmul(gradients[1], transpose(context.output(0), -2, -1));
  return gradients;
}

Cost Solve::cost(Inputs inputs, std::span<const OutputSpec> outputs) const {
  Cost cost = Operation::cost(inputs, outputs);
  const int64_t n = inputs[0].size(-1);
  cost.flops = batch_size(inputs[0].shape()) * n * n * n * 2 / 3 + 2 * count(outputs[0].shape) * n;
  return cost;
}

std::vector<AxisTie> Solve::axis_ties(Inputs inputs) const {
  std::vector<AxisTie> ties = batch_ties(inputs, 1);
  const int columns = inputs[1].rank() - 1;
  ties.push_back({{{1, columns}, {-1, columns}}});
  return ties;
}

void Inverse::infer(Inputs inputs, OutputSpecs& outputs) const {
  check_square(kName, inputs, 0);
  outputs.push_back(OutputSpec::fresh(inputs[0].shape(), inputs[0].dtype()));
}

Tensors Inverse::backward(const BackwardContext& context) const {
  const Tensor turned = transpose(context.output(0), -2, -1);
  return {-matmul(turned, matmul(context.gradient(0), turned))};
}

Cost Inverse::cost(Inputs inputs, std::span<const OutputSpec> outputs) const {
  Cost cost = Operation::cost(inputs, outputs);
  cost.flops = 2 * inputs[0].numel() * inputs[0].size(-1);
  return cost;
}

std::vector<AxisTie> Inverse::axis_ties(Inputs inputs) const {
  return batch_ties(inputs, 1);
}

Tensor solve(const Tensor& a, const Tensor& b) {
  const System system(Solve::kName, a, b);
  return system.solution(apply_one(Solve(), system.a(), system.b()));
}

Tensor inverse(const Tensor& a) {
  check_defined(Inverse::kName, a);
  return apply_one(Inverse(), promoted_to_floating(Inverse::kName, a));
}

}  // namespace espalier
