#include "ops/logsumexp.h"

#include "ops/exp.h"
#include "ops/multiply.h"
#include "ops/promotion.h"
#include "ops/subtract.h"

namespace espalier {

void LogSumExp::infer(Inputs inputs, OutputSpecs& outputs) const {
  check_reducible(inputs, true);
  outputs.push_back(reduced_spec(inputs[0], inputs[0].dtype()));
}

Tensors LogSumExp::backward(const BackwardContext& context) const {
  const Shape& shape = context.input_shape(0);
  const Tensor shares = exp(context.input(0) - with_kept_axes(context.output(0), shape));
  return {with_kept_axes(context.gradient(0), shape) * shares};
}

Cost LogSumExp::cost(Inputs inputs, std::span<const OutputSpec> outputs) const {
  Cost cost = Reduction::cost(inputs, outputs);
  cost.flops = 4 * inputs[0].numel();  // a comparison, a difference, an exponential, a sum
  return cost;
}

Tensor logsumexp(const Tensor& x, const Dims& axes, bool keepdim) {
  return apply_one(LogSumExp(axes, keepdim), promoted_to_floating(LogSumExp::kName, x));
}

}  // namespace espalier
