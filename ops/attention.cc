#include "ops/attention.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numeric>
#include <string>
#include <vector>

#include "core/create.h"
#include "ops/add.h"
#include "ops/compare.h"
#include "ops/divide.h"
#include "ops/exp.h"
#include "ops/expand.h"
#include "ops/logical.h"
#include "ops/matmul.h"
#include "ops/max.h"
#include "ops/multiply.h"
#include "ops/norm_internal.h"
#include "ops/permute.h"
#include "ops/reshape.h"
#include "ops/subtract.h"
#include "ops/sum.h"
#include "ops/where.h"

namespace espalier {

void visit_attribute(AttributeVisitor& visit, std::string_view name, Causal& causal) {
  constexpr std::string_view kNames[] = {"none", "upper_left", "lower_right"};
  visit(name, causal, kNames);
}

namespace {

/// Dense strides whose axes follow each other in memory as those of `like` do, but for the last, which is
/// innermost.
Strides strides_in_order_of(const Tensor& like, const Shape& shape) {
  const int last = shape.rank() - 1;
  std::array<int, kMaxRank> order;
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.begin() + last,
                   [&](int a, int b) { return like.strides()[a] > like.strides()[b]; });
  Strides strides = Strides::filled(shape.rank(), 1);
  int64_t step = std::max<int64_t>(shape.back(), 1);
  for (int i = last - 1; i >= 0; --i) {
    const int axis = order[static_cast<size_t>(i)];
    strides[axis] = step;
    step *= std::max<int64_t>(shape[axis], 1);
  }
  return strides;
}

Shape without_last(const Shape& shape) {
  Shape result = shape;
  result.erase(shape.rank() - 1);
  return result;
}

/// Throws unless q, k and v are of one type and fit together; gives the result's shape.
Shape result_shape(std::string_view name, const Tensor& q, const Tensor& k, const Tensor& v) {
  const Tensor inputs[] = {q, k, v};
  if (k.dtype() != q.dtype() || v.dtype() != q.dtype()) {
    throw TypeError(name, "q, k and v, " + describe(inputs) + ", are of several types; convert them to one");
  }
  const int rank = q.rank();
  bool fits = rank >= 2 && k.rank() == rank && v.rank() == rank && q.shape().back() == k.shape().back() &&
              k.shape()[rank - 2] == v.shape()[rank - 2];
  for (int i = 0; fits && i < rank - 2; ++i) {
    fits = q.shape()[i] == k.shape()[i] && q.shape()[i] == v.shape()[i];
  }
  if (!fits) {
    throw ShapeError(name, "q, k and v are " + describe(inputs) +
                               "; expected [..., T, D], [..., S, D] and [..., S, E] with equal leading axes");
  }
  Shape shape = q.shape();
  shape[rank - 1] = v.shape().back();
  return shape;
}

/// Multiply-adds of q k^T, or of p v for `width` E; about half of the scores are skipped where causal.
int64_t score_flops(const Tensor& q, const Tensor& k, int64_t width, bool causal) {
  const int64_t rows = count(without_last(q.shape()));
  return (causal ? 1 : 2) * rows * k.shape()[k.rank() - 2] * width;
}

/// Throws unless the mask, if any, fits the scores.
void check_mask(std::string_view name, Inputs inputs, const Tensor& mask, const Tensor& q, const Tensor& k) {
  if (!mask.defined()) return;
  Shape scores = q.shape();
  scores[scores.rank() - 1] = k.shape()[k.rank() - 2];
  const int lead = scores.rank() - mask.rank();
  bool fits = mask.rank() > 0 && lead >= 0;
  for (int i = 0; fits && i < mask.rank(); ++i) {
    fits = mask.shape()[i] == 1 || mask.shape()[i] == scores[lead + i];
  }
  if (!fits) {
    throw ShapeError(
        name, "inputs are " + describe(inputs) + "; expected a mask that broadcasts to " + to_string(scores));
  }
  if (mask.dtype() != Dtype::boolean && mask.dtype() != q.dtype()) {
    throw TypeError(name, "inputs are " + describe(inputs) + "; expected a mask of type bool or " +
                              std::string(to_string(q.dtype())));
  }
}

/// Which keys each query may see, [T, S]; undefined where that is all.
Tensor causal_mask(Causal causal, const Tensor& q, const Tensor& k) {
  if (causal == Causal::none) return {};
  const int64_t queries = q.size(-2), keys = k.size(-2);
  const int64_t offset = causal == Causal::lower_right ? keys - queries : 0;
  const Tensor latest = arange(offset, queries + offset, 1, Dtype::i64, q.device());
  return less_equal(arange(0, keys, 1, Dtype::i64, q.device()), unsqueeze(latest, 1));
}

}  // namespace

double Attention::scale(const Tensor& q) const {
  return scale_.value_or(1 / std::sqrt(static_cast<double>(std::max<int64_t>(q.shape().back(), 1))));
}

void Attention::infer(Inputs inputs, OutputSpecs& outputs) const {
  const Tensor& q = inputs[0];
  const Shape shape = result_shape(kName, q, inputs[1], inputs[2]);
  checked_count(shape, kName);
  check_mask(kName, inputs, inputs[3], q, inputs[1]);
  outputs.push_back(OutputSpec::fresh(shape, strides_in_order_of(q, shape), q.dtype()));
  outputs.push_back(OutputSpec::fresh(without_last(q.shape()), statistics_type(q.dtype())));
}

Tensors Attention::backward(const BackwardContext& context) const {
  const AttentionBackward operation(causal_, scale(context.input(0)), context.wants(0), context.wants(1),
                                    context.wants(2));
  const Tensors found =
      apply(operation, {context.gradient(0), context.input(0), context.input(1), context.input(2),
                        context.output(0), context.output(1), context.input(3)});
  Tensors gradients(4);
  size_t next = 0;
  for (int i = 0; i < 3; ++i) {
    if (context.wants(i)) gradients[static_cast<size_t>(i)] = found[next++];
  }
  return gradients;
}

Tensors Attention::decompose(Inputs inputs) const {
  const Tensor &q = inputs[0], &k = inputs[1], &v = inputs[2], &mask = inputs[3];
  Tensor scores = matmul(q, transpose(k, -2, -1)) * scale(q);
  if (k.size(-2) == 0) return {matmul(scores, v)};
  Tensor seen = causal_mask(causal_, q, k);
  if (mask.defined() && mask.dtype() == Dtype::boolean) {
    seen = seen.defined() ? logical_and(seen, mask) : mask;
  } else if (mask.defined()) {
    scores = scores + mask;
  }
  constexpr double kNothing = -std::numeric_limits<double>::infinity();
  if (seen.defined()) scores = where(seen, scores, kNothing);
  // What is subtracted falls out of the quotient, so it needs no gradient. A query that sees nothing has a
  // sum of 0, and no weights.
  const Tensor top = max(scores.detach(), {-1}, true);
  const Tensor weights = exp(scores - where(equal(top, kNothing), 0, top));
  const Tensor total = sum(weights, {-1}, true);
  return {matmul(weights / where(equal(total, 0), 1, total), v)};
}

Cost Attention::cost(Inputs inputs, std::span<const OutputSpec> outputs) const {
  Cost cost = Operation::cost(inputs, outputs);
  const Tensor &q = inputs[0], &k = inputs[1];
  cost.flops = score_flops(q, k, q.shape().back() + inputs[2].shape().back(), causal_ != Causal::none);
  return cost;
}

std::vector<AxisTie> Attention::axis_ties(Inputs inputs) const {
  const int rank = inputs[0].rank();
  std::vector<AxisTie> ties;
  for (int i = 0; i < rank - 2; ++i) ties.push_back({{{0, i}, {1, i}, {2, i}, {-1, i}, {-2, i}}});
  ties.push_back({{{0, rank - 2}, {-1, rank - 2}, {-2, rank - 2}}, causal_ != Causal::none});
  ties.push_back({{{1, rank - 2}, {2, rank - 2}}});
  if (const Tensor& mask = inputs[3]; mask.defined()) {
    for (int i = 0; i < mask.rank(); ++i) {
      const int axis = rank - mask.rank() + i;  // of the scores
      if (mask.shape()[i] != 1) ties[static_cast<size_t>(axis)].axes.push_back({3, i});
    }
  }
  ties.push_back({{{0, rank - 1}, {1, rank - 1}}});
  ties.push_back({{{2, rank - 1}, {-1, rank - 1}}});
  return ties;
}

void AttentionBackward::infer(Inputs inputs, OutputSpecs& outputs) const {
  const Tensor& q = inputs[1];
  const Shape shape = result_shape(kName, q, inputs[2], inputs[3]);
  if (inputs[0].shape() != shape || inputs[4].shape() != shape || inputs[5].shape() != without_last(shape)) {
    throw ShapeError(kName, "dy, q, k, v, y and log_sum are " + describe(inputs) + "; expected dy and y " +
                                to_string(shape) + ", log_sum " + to_string(without_last(shape)));
  }
  if (inputs[0].dtype() != q.dtype() || inputs[4].dtype() != q.dtype() ||
      inputs[5].dtype() != statistics_type(q.dtype())) {
    throw TypeError(kName, "dy, q, k, v, y and log_sum, " + describe(inputs) + ", are of several types");
  }
  check_mask(kName, inputs, inputs[6], q, inputs[2]);
  for (int i = 0; i < 3; ++i) {
    const Tensor& input = inputs[static_cast<size_t>(i) + 1];
    if (wants(i)) {
      outputs.push_back(
          OutputSpec::fresh(input.shape(), strides_in_order_of(input, input.shape()), input.dtype()));
    }
  }
}

Cost AttentionBackward::cost(Inputs inputs, std::span<const OutputSpec> outputs) const {
  Cost cost = Operation::cost(inputs, outputs);
  const Tensor &q = inputs[1], &k = inputs[2];
  const int64_t depth = q.shape().back(), width = inputs[3].shape().back();
  cost.flops =
      score_flops(q, k, (1 + wants(0) + wants(1)) * depth + (1 + wants(2)) * width, causal_ != Causal::none);
  return cost;
}

namespace {

/// `tensor` with the axis of its heads split into groups of `count` heads each.
Tensor grouped(const Tensor& tensor, int64_t count) {
  Shape shape = tensor.shape();
  const int heads = shape.rank() - 3;
  shape.insert(heads + 1, count);
  shape[heads] /= count;
  return reshape(tensor, shape);
}

/// How many heads of q share one of k's: 1 unless k has fewer.
int64_t heads_for_each(const Tensor& q, const Tensor& k) {
  if (q.rank() < 3 || k.rank() != q.rank()) return 1;
  const int64_t own = q.size(-3), shared = k.size(-3);
  return shared > 0 && own > shared && own % shared == 0 ? own / shared : 1;
}

}  // namespace

Tensor attention(const Tensor& q, const Tensor& k, const Tensor& v, const AttentionOptions& options) {
  if (options.scale && !std::isfinite(*options.scale)) {
    throw ValueError(Attention::kName,
                     "scale is " + std::to_string(*options.scale) + "; expected a finite number");
  }
  check_defined(Attention::kName, Inputs(std::array{q, k, v}));
  const Attention operation(options.causal, options.scale);
  const Tensor& mask = options.mask;
  if (const int64_t count = heads_for_each(q, k); count > 1) {
    const auto shared = [&](const Tensor& tensor) {
      const Tensor single = unsqueeze(tensor, -3);
      Shape shape = single.shape();
      shape[shape.rank() - 3] = count;
      return expand(single, shape);
    };
    const bool by_head = mask.defined() && mask.rank() >= 3;
    const Tensor own = !by_head ? mask : mask.size(-3) == 1 ? unsqueeze(mask, -3) : grouped(mask, count);
    const Tensor y = attention(grouped(q, count), shared(k), shared(v), {options.causal, own, options.scale});
    return flatten(y, -4, -3);
  }
  if (mask.requires_grad() && grad_enabled()) {
    OutputSpecs unused;
    operation.infer(std::array{q, k, v, mask}, unused);
    return operation.decompose(std::array{q, k, v, mask})[0];
  }
  return apply_one(operation, q, k, v, mask);
}

}  // namespace espalier
