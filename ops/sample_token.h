#pragma once

#include <cstdint>

#include "core/door.h"
#include "ops/random.h"

namespace espalier {

/// From which of the next tokens one is drawn.
struct SamplingOptions {
  double temperature = 1;  ///< logits are divided by it; 0 takes the most probable token
  int64_t top_k = 0;       ///< only from so many, the most probable ones; 0: from all
  /// Only from the fewest, most probable first, whose probabilities add up to this: Holtzman et al., "The
  /// curious case of neural text degeneration" (2020).
  double top_p = 1;
};

/// Draws one token for each row of logits [N, V], by their probabilities: tokens i64[N]. Inputs are the
/// logits and the state of a generator, i64[2], of whose stream row n takes number n, or the states of one
/// generator for each row, i64[N, 2], of whose stream a row takes the first number: so what a row draws does
/// not depend on the others. Numbers are of 53 bits; in [0, 1) the tokens lie in the order of their ids.
/// Outputs are the tokens and the state, moved on, which temperature 0 does, too. Where not all of several
/// equally probable tokens may be drawn, the first ones may.
class ESPALIER_API SampleToken final : public OperationOf<SampleToken> {
 public:
  static constexpr std::string_view kName = "sample_token";
  static KernelSlot slot;

  /// Throws ValueError for a temperature or top_k under 0 and a top_p outside (0, 1].
  explicit SampleToken(const SamplingOptions& options = {});
  const SamplingOptions& options() const noexcept { return options_; }
  void infer(Inputs inputs, OutputSpecs& outputs) const override;
  bool differentiable(int) const override { return false; }
  Cost cost(Inputs inputs, std::span<const OutputSpec> outputs) const override;
  void visit_attributes(AttributeVisitor& visit) override {
    visit("temperature", options_.temperature);
    visit("top_k", options_.top_k);
    visit("top_p", options_.top_p);
    *this = SampleToken(options_);  // which checks them
  }

 private:
  SamplingOptions options_;
};

/// A token for each row of logits [N, V], i64[N], drawn with numbers of `from`. Throws ShapeError and
/// TypeError for other logits; ValueError for options that make no sense; NumericError, which names the row,
/// where a logit is NaN or infinite, or all are -inf (single ones may be).
ESPALIER_API Tensor sample_token(const Tensor& logits, const SamplingOptions& options,
                                 const Generator& from = {});
/// The same, each row with numbers of a generator of its own, whose states [N, 2] (seeds and offsets) are
/// moved on in place. Throws TypeError, too, where `states` is no i64[N, 2].
ESPALIER_API Tensor sample_token(const Tensor& logits, const SamplingOptions& options, const Tensor& states);

/// The token that a number from [0, 1) stands for, by the probabilities of logits [V]: sample_token() for
/// given numbers. Throws what that does, and ValueError for a `uniform` outside [0, 1).
ESPALIER_API int64_t sample(const Tensor& logits, const SamplingOptions& options, double uniform);

}  // namespace espalier
