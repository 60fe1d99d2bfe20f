#pragma once

#include <optional>

#include "core/door.h"

namespace espalier {

/// Attention of the next steps of N sequences to all their steps so far, whose keys and values a cache holds:
/// what a step of generation computes. Inputs: of the T new steps q [N, H, T, D], k [N, G, T, D] and v [N, G,
/// T, E]; the cache's keys [N, G, L, D] and values [N, G, L, E], of which sequence n fills the first
/// lengths[n], i64[N]. Puts k and v there behind them; then each new step sees all of its sequence up to
/// itself. Outputs: y [N, H, T, E], and the cache's two tensors, changed in place. Neighbouring H / G heads
/// of q share one of k (grouped queries). No gradient.
class ESPALIER_API CachedAttention final : public OperationOf<CachedAttention> {
 public:
  static constexpr std::string_view kName = "cached_attention";
  static KernelSlot slot;

  /// Without a scale it is 1 / sqrt(D).
  explicit CachedAttention(std::optional<double> scale = {}) : scale_(scale) {}
  std::optional<double> scale() const noexcept { return scale_; }
  AutocastRule autocast_rule() const override { return AutocastRule::agree; }
  void infer(Inputs inputs, OutputSpecs& outputs) const override;
  Cost cost(Inputs inputs, std::span<const OutputSpec> outputs) const override;
  void visit_attributes(AttributeVisitor& visit) override { visit("scale", scale_); }

 private:
  std::optional<double> scale_;
};

/// y [N, H, T, E] of CachedAttention; `keys` and `values` are changed in place, `lengths` stays. Throws
/// ShapeError where the operands do not fit or the new steps are more than the cache holds; TypeError where
/// they are not of one floating type, or the lengths not i64; ValueError, before anything is changed, for a
/// length below 0 or without room for the new steps behind it.
///
///   const Tensor y = cached_attention_(q, k, v, cache_keys, cache_values, lengths);
ESPALIER_API Tensor cached_attention_(const Tensor& q, const Tensor& k, const Tensor& v, const Tensor& keys,
                                      const Tensor& values, const Tensor& lengths,
                                      std::optional<double> scale = {});

/// The places that the next T steps of N sequences take in a cache: lengths i64[N] to lengths[n] + t, i64[N,
/// T]. So a model that looks up something for each place (positions, say) finds out before anything else
/// whether there is room.
class ESPALIER_API CachedPositions final : public OperationOf<CachedPositions> {
 public:
  static constexpr std::string_view kName = "cached_positions";
  static KernelSlot slot;

  /// Of `steps` steps each in a cache for `capacity`. Throws ValueError for a negative number.
  CachedPositions(int64_t steps, int64_t capacity);
  int64_t steps() const noexcept { return steps_; }
  int64_t capacity() const noexcept { return capacity_; }
  bool differentiable(int) const override { return false; }
  void infer(Inputs inputs, OutputSpecs& outputs) const override;
  void visit_attributes(AttributeVisitor& visit) override {
    visit("steps", steps_);
    visit("capacity", capacity_);
    *this = CachedPositions(steps_, capacity_);  // which checks them
  }

 private:
  int64_t steps_, capacity_;
};

/// The places i64[N, steps] of the next steps of sequences that have `lengths`, i64[N], in a cache for
/// `capacity` each. Throws ValueError for negative numbers, and for a sequence with a length below 0 or
/// without room for the new steps; ShapeError and TypeError where the lengths are no i64[N].
ESPALIER_API Tensor cached_positions(const Tensor& lengths, int64_t steps, int64_t capacity);

}  // namespace espalier
