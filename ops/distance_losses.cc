#include "ops/distance_losses.h"

#include <cmath>
#include <string>

#include "ops/abs.h"
#include "ops/add.h"
#include "ops/cast.h"
#include "ops/concat.h"
#include "ops/divide.h"
#include "ops/equal.h"
#include "ops/exp.h"
#include "ops/log.h"
#include "ops/loss_internal.h"
#include "ops/max.h"
#include "ops/multiply.h"
#include "ops/negate.h"
#include "ops/relu.h"
#include "ops/reshape.h"
#include "ops/sqrt.h"
#include "ops/subtract.h"
#include "ops/sum.h"

namespace espalier {
namespace {

/// 1 where an element is 0, else 0.
Tensor zeros_of(const Tensor& x) {
  return cast(equal(x, 0), x.dtype());
}

/// |x|^p for x >= 0; its derivative at 0 is 0.
Tensor power(const Tensor& x, double p) {
  const Tensor zero = zeros_of(x);
  return exp(log(x + zero) * p) * (1 - zero);
}

/// The p-norm over the last axis; its derivative at 0 is 0.
Tensor norm(const Tensor& x, double p) {
  if (p == 1) return sum(abs(x), {-1});
  if (std::isinf(p)) return max(abs(x), {-1});
  if (p != 2) return power(sum(power(abs(x), p), {-1}), 1 / p);
  const Tensor squares = sum(x * x, {-1});
  const Tensor zero = zeros_of(squares);
  return sqrt(squares + zero) * (1 - zero);
}

/// The smaller of two elements; equal ones share the gradient.
Tensor smaller(const Tensor& a, const Tensor& b) {
  return -max(concat({unsqueeze(-a, -1), unsqueeze(-b, -1)}, -1), {-1});
}

}  // namespace

Tensor cosine_similarity(const Tensor& a, const Tensor& b, const CosineSimilarityOptions& options) {
  constexpr std::string_view kName = "cosine_similarity";
  const Tensor pair[] = {a, b};
  check_loss_types(kName, pair);
  check_loss_option(kName, "eps", options.eps);
  const int rank = broadcast_shapes(a.shape(), b.shape(), kName).rank();
  const int axis = normalize_axis(options.axis, rank, kName);
  // Shapes with fewer axes broadcast from the right: the axis is counted in the result.
  const auto aligned = [&](const Tensor& x) {
    Tensor wide = widened(x);
    while (wide.rank() < rank) wide = unsqueeze(wide, 0);
    return wide;
  };
  const Tensor x = aligned(a), y = aligned(b);
  const double least = options.eps * options.eps;
  const auto norm_of = [&](const Tensor& v) { return sqrt(relu(sum(v * v, {axis}, true) - least) + least); };
  const Tensor cosine = sum(x / norm_of(x) * (y / norm_of(y)), {axis});
  return cast(cosine, a.dtype());
}

Tensor cosine_embedding_loss(const Tensor& a, const Tensor& b, const Tensor& targets,
                             const MarginLossOptions& options) {
  constexpr std::string_view kName = "cosine_embedding_loss";
  const Tensor pair[] = {a, b};
  check_loss_inputs(kName, pair);
  check_defined(kName, targets);
  check_margin(kName, options.margin);
  if (a.rank() == 0) throw ShapeError(kName, "vectors are " + describe(pair) + "; expected [..., size]");
  constexpr float kEps = 1e-12F;  // PyTorch's, which is a float
  const Tensor x = widened(a), y = widened(b);
  const Tensor squares = (sum(x * x, {-1}) + kEps) * (sum(y * y, {-1}) + kEps);
  // A distance of 1 - cosine: 1 - margin is then the margin that the distance must keep.
  const Tensor distance = cast(1 - sum(x * y, {-1}) / sqrt(squares), a.dtype());
  return hinge_embedding_loss(distance, targets,
                              {.margin = 1 - options.margin, .reduction = options.reduction});
}

Tensor margin_ranking_loss(const Tensor& a, const Tensor& b, const Tensor& targets,
                           const MarginLossOptions& options) {
  constexpr std::string_view kName = "margin_ranking_loss";
  const Tensor inputs[] = {a, b, targets};
  check_loss_inputs(kName, inputs);
  check_margin(kName, options.margin);
  return reduced_loss(relu(options.margin - targets * (a - b)), options.reduction);
}

Tensor triplet_margin_loss(const Tensor& anchor, const Tensor& positive, const Tensor& negative,
                           const TripletMarginOptions& options) {
  constexpr std::string_view kName = "triplet_margin_loss";
  const Tensor inputs[] = {anchor, positive, negative};
  check_loss_inputs(kName, inputs);
  check_loss_option(kName, "margin", options.margin, true);
  check_loss_option(kName, "eps", options.eps);
  if (!(options.p > 0))
    throw ValueError(kName, "p " + std::to_string(options.p) + ": expected a number above 0");
  if (anchor.rank() == 0)
    throw ShapeError(kName, "vectors are " + describe(inputs) + "; expected [..., size]");
  const auto distance = [&](const Tensor& a, const Tensor& b) {
    return norm(widened(a) - widened(b) + options.eps, options.p);
  };
  Tensor apart = distance(anchor, negative);
  if (options.swap) apart = smaller(apart, distance(positive, negative));
  const Tensor terms = relu(distance(anchor, positive) - apart + options.margin);
  return cast(reduced_loss(terms, options.reduction), anchor.dtype());
}

}  // namespace espalier
