#include "ops/attention.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numeric>
#include <string>
#include <vector>

#include "ops/add.h"
#include "ops/cast.h"
#include "ops/divide.h"
#include "ops/exp.h"
#include "ops/matmul.h"
#include "ops/max.h"
#include "ops/multiply.h"
#include "ops/permute.h"
#include "ops/subtract.h"
#include "ops/sum.h"

namespace espalier {
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

Dtype statistics_type(Dtype dtype) {
  return dtype == Dtype::f64 ? Dtype::f64 : Dtype::f32;
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

/// 0 where query t may see key s, minus infinity elsewhere.
Tensor causal_mask(int64_t queries, int64_t keys, const Tensor& like) {
  if (like.device().type == DeviceType::meta) return empty({queries, keys}, like.dtype(), like.device());
  std::vector<float> values(static_cast<size_t>(queries * keys));
  for (int64_t t = 0; t < queries; ++t) {
    for (int64_t s = t + 1; s < keys; ++s) {
      values[static_cast<size_t>(t * keys + s)] = -std::numeric_limits<float>::infinity();
    }
  }
  return cast(from_values(values, {queries, keys}), like.dtype());
}

}  // namespace

double Attention::scale(const Tensor& q) const {
  return scale_.value_or(1 / std::sqrt(static_cast<double>(std::max<int64_t>(q.shape().back(), 1))));
}

void Attention::infer(Inputs inputs, OutputSpecs& outputs) const {
  const Tensor& q = inputs[0];
  const Shape shape = result_shape(kName, q, inputs[1], inputs[2]);
  checked_count(shape, kName);
  outputs.push_back(OutputSpec::fresh(shape, strides_in_order_of(q, shape), q.dtype()));
  outputs.push_back(OutputSpec::fresh(without_last(q.shape()), statistics_type(q.dtype())));
}

Tensors Attention::backward(const BackwardContext& context) const {
  const AttentionBackward operation(causal_, scale(context.input(0)), context.wants(0), context.wants(1),
                                    context.wants(2));
  const Tensors found = apply(operation, {context.gradient(0), context.input(0), context.input(1),
                                          context.input(2), context.output(0), context.output(1)});
  Tensors gradients(3);
  size_t next = 0;
  for (int i = 0; i < 3; ++i) {
    if (context.wants(i)) gradients[static_cast<size_t>(i)] = found[next++];
  }
  return gradients;
}

Tensors Attention::decompose(Inputs inputs) const {
  const Tensor &q = inputs[0], &k = inputs[1], &v = inputs[2];
  Tensor scores = matmul(q, transpose(k, -2, -1)) * scale(q);
  const int64_t queries = q.size(-2), keys = k.size(-2);
  if (keys == 0) return {matmul(scores, v)};
  if (causal_) scores = scores + causal_mask(queries, keys, q);
  // What is subtracted falls out of the quotient, so it needs no gradient.
  const Tensor weights = exp(scores - max(scores.detach(), {-1}, true));
  return {matmul(weights / sum(weights, {-1}, true), v)};
}

Cost Attention::cost(Inputs inputs, std::span<const OutputSpec> outputs) const {
  Cost cost = Operation::cost(inputs, outputs);
  const Tensor &q = inputs[0], &k = inputs[1];
  cost.flops = score_flops(q, k, q.shape().back() + inputs[2].shape().back(), causal_);
  return cost;
}

std::vector<AxisTie> Attention::axis_ties(Inputs inputs) const {
  const int rank = inputs[0].rank();
  std::vector<AxisTie> ties;
  for (int i = 0; i < rank - 2; ++i) ties.push_back({{{0, i}, {1, i}, {2, i}, {-1, i}, {-2, i}}});
  ties.push_back({{{0, rank - 2}, {-1, rank - 2}, {-2, rank - 2}}});
  ties.push_back({{{1, rank - 2}, {2, rank - 2}}});
  ties.push_back({{{0, rank - 1}, {1, rank - 1}}});
  ties.push_back({{{2, rank - 1}, {-1, rank - 1}}});
  return ties;
}

void Attention::print_attributes(std::ostream& out) const {
  out << "causal=" << causal_;
  if (scale_) out << ", scale=" << *scale_;
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
  for (int i = 0; i < 3; ++i) {
    const Tensor& input = inputs[static_cast<size_t>(i + 1)];
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
  cost.flops = score_flops(q, k, (1 + wants(0) + wants(1)) * depth + (1 + wants(2)) * width, causal_);
  return cost;
}

void AttentionBackward::print_attributes(std::ostream& out) const {
  out << "causal=" << causal_ << ", scale=" << scale_ << ", wants=" << (wants(0) ? "q" : "")
      << (wants(1) ? "k" : "") << (wants(2) ? "v" : "");
}

Tensor attention(const Tensor& q, const Tensor& k, const Tensor& v, bool causal,
                 std::optional<double> scale) {
  if (scale && !std::isfinite(*scale)) {
    throw ValueError(Attention::kName, "scale is " + std::to_string(*scale) + "; expected a finite number");
  }
  return apply_one(Attention(causal, scale), q, k, v);
}

}  // namespace espalier
