#include "ops/cached_attention.h"

#include <array>
#include <cmath>
#include <string>

#include "core/error.h"

namespace espalier {
namespace {

void check_types(Inputs inputs) {
  bool one = is_floating(inputs[0].dtype()) && size_of(inputs[0].dtype()) > 1;
  for (const Tensor& input : inputs.first(5)) one &= input.dtype() == inputs[0].dtype();
  if (!one || inputs[5].dtype() != Dtype::i64) {
    throw TypeError(CachedAttention::kName,
                    "q, k, v, keys, values and lengths are " + describe(inputs) +
                        "; expected one floating type of 16 bits or more, and i64 for the lengths");
  }
}

void check_shapes(Inputs inputs) {
  const Tensor &q = inputs[0], &k = inputs[1], &v = inputs[2], &keys = inputs[3], &values = inputs[4];
  bool fits = inputs[5].rank() == 1;
  for (const Tensor& input : inputs.first(5)) fits &= input.rank() == 4;
  if (fits) {
    const int64_t n = q.size(0), steps = q.size(2), groups = k.size(1), capacity = keys.size(2);
    fits = groups > 0 && q.size(1) % groups == 0 && steps <= capacity && inputs[5].size(0) == n &&
           k.shape() == Shape{n, groups, steps, q.size(3)} &&
           v.shape() == Shape{n, groups, steps, v.size(3)} &&
           keys.shape() == Shape{n, groups, capacity, q.size(3)} &&
           values.shape() == Shape{n, groups, capacity, v.size(3)};
  }
  if (fits) return;
  throw ShapeError(CachedAttention::kName,
                   "q, k, v, keys, values and lengths are " + describe(inputs) +
                       "; expected [N, H, T, D], [N, G, T, D], [N, G, T, E], [N, G, L, D], [N, G, L, E] and "
                       "[N] with G dividing H and T up to L");
}

}  // namespace

void CachedAttention::infer(Inputs inputs, OutputSpecs& outputs) const {
  check_types(inputs);
  check_shapes(inputs);
  Shape shape = inputs[0].shape();
  shape[3] = inputs[2].size(3);
  checked_count(shape, kName);
  outputs.push_back(OutputSpec::fresh(shape, inputs[0].dtype()));
  outputs.push_back(OutputSpec::update(3, inputs[3]));
  outputs.push_back(OutputSpec::update(4, inputs[4]));
}

Cost CachedAttention::cost(Inputs inputs, std::span<const OutputSpec> outputs) const {
  Cost cost = Operation::cost(inputs, outputs);
  const Tensor &q = inputs[0], &keys = inputs[3];
  // As if the cache were full: how far it is, only a run knows.
  cost.flops = 2 * q.size(0) * q.size(1) * q.size(2) * keys.size(2) * (q.size(3) + inputs[2].size(3));
  return cost;
}

Tensor cached_attention_(const Tensor& q, const Tensor& k, const Tensor& v, const Tensor& keys,
                         const Tensor& values, const Tensor& lengths, std::optional<double> scale) {
  if (scale && !std::isfinite(*scale)) {
    throw ValueError(CachedAttention::kName,
                     "scale is " + std::to_string(*scale) + "; expected a finite number");
  }
  return apply(CachedAttention(scale), {q, k, v, keys, values, lengths})[0];
}

CachedPositions::CachedPositions(int64_t steps, int64_t capacity) : steps_(steps), capacity_(capacity) {
  if (steps < 0 || capacity < 0) {
    throw ValueError(kName, std::to_string(steps) + " steps in a cache for " + std::to_string(capacity) +
                                "; expected numbers from 0 up");
  }
}

void CachedPositions::infer(Inputs inputs, OutputSpecs& outputs) const {
  if (inputs[0].dtype() != Dtype::i64)
    throw TypeError(kName, "lengths are " + describe(inputs) + "; expected i64");
  if (inputs[0].rank() != 1) throw ShapeError(kName, "lengths are " + describe(inputs) + "; expected [N]");
  const Shape shape{inputs[0].size(0), steps_};
  checked_count(shape, kName);
  outputs.push_back(OutputSpec::fresh(shape, Dtype::i64));
}

Tensor cached_positions(const Tensor& lengths, int64_t steps, int64_t capacity) {
  return apply_one(CachedPositions(steps, capacity), lengths);
}

}  // namespace espalier
