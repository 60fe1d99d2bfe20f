#include "ops/eigh.h"

#include "ops/add.h"
#include "ops/divide.h"
#include "ops/linalg_internal.h"
#include "ops/matmul.h"
#include "ops/multiply.h"
#include "ops/permute.h"
#include "ops/promotion.h"
#include "ops/reshape.h"
#include "ops/subtract.h"

namespace espalier {
namespace {

/// The divide-and-conquer routine works in 2 n^2 + 6 n + 1 elements, which it counts in 32 bits.
constexpr int64_t kLargestEigh = 32000;

}  // namespace

void Eigh::infer(Inputs inputs, OutputSpecs& outputs) const {
  check_square(kName, inputs, 0);
  const int64_t n = inputs[0].size(-1);
  if (n > kLargestEigh) {
    throw ShapeError(kName, "inputs " + describe(inputs) + "; matrices are limited to " +
                                std::to_string(kLargestEigh) + " rows and columns");
  }
  outputs.push_back(OutputSpec::fresh(with_vector(inputs[0].shape(), n), inputs[0].dtype()));
  outputs.push_back(OutputSpec::fresh(inputs[0].shape(), inputs[0].dtype()));
}

Tensors Eigh::backward(const BackwardContext& context) const {
  const Tensor &w = context.output(0), &v = context.output(1);
  const Tensor &of_w = context.gradient(0), &of_v = context.gradient(1);
  const int64_t n = w.size(-1);
  const Tensor identity = triangles(n, 0, 1, 0, w), turned = transpose(v, -2, -1);
  Tensor middle;
  if (of_w.defined()) middle = identity * unsqueeze(of_w, -2);
  if (of_v.defined()) {
    // The ones on the diagonal keep it from 0 / 0.
    const Tensor differences = unsqueeze(w, -2) - unsqueeze(w, -1) + identity;
    middle = sum_of(middle, triangles(n, 1, 0, 1, w) / differences * matmul(turned, of_v));
  }
  const Tensor whole = matmul(v, matmul(middle, turned));
  return {(whole + transpose(whole, -2, -1)) * 0.5};
}

// Golub, Van Loan, "Matrix computations", section 8.3: about 9 n^3 with the vectors.
Cost Eigh::cost(Inputs inputs, std::span<const OutputSpec> outputs) const {
  Cost cost = Operation::cost(inputs, outputs);
  cost.flops = 9 * inputs[0].numel() * inputs[0].size(-1);
  return cost;
}

std::vector<AxisTie> Eigh::axis_ties(Inputs inputs) const {
  return batch_ties(inputs, 2);
}

EighFactors eigh(const Tensor& a) {
  check_defined(Eigh::kName, a);
  Tensors outputs = apply(Eigh(), {promoted_to_floating(Eigh::kName, a)});
  return {std::move(outputs[0]), std::move(outputs[1])};
}

}  // namespace espalier
