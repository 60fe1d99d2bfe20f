#pragma once

#include <cstdint>
#include <functional>

#include "core/tensor.h"
#include "models/gpt.h"

namespace espalier::models {

/// From which of the next tokens one is drawn.
struct SamplingOptions {
  double temperature = 1;  ///< logits are divided by it; 0 takes the most probable token
  int64_t top_k = 0;       ///< only from so many, the most probable ones; 0: from all
  /// Only from the fewest, most probable first, whose probabilities add up to this: Holtzman et al., "The
  /// curious case of neural text degeneration" (2020).
  double top_p = 1;
};

/// The token that a number from [0, 1) stands for, by the probabilities of logits [V]: uniform numbers give
/// tokens as often as the options say. Throws ShapeError and TypeError for other logits, NumericError where
/// one is NaN or none is finite, ValueError for a temperature or top_k under 0, a top_p outside (0, 1] and a
/// `uniform` outside [0, 1).
ESPALIER_API int64_t sample(const Tensor& logits, const SamplingOptions& options, double uniform);

/// `prompt`, i64[N], and `count` tokens drawn one after the other, each by what stands before it: i64[N +
/// count]. `logits` is a language model, tokens i64 [1, T] to [1, T, V], and looks back on at most `context`
/// of them. The same seed gives the same tokens. Throws what sample() and the model do, ShapeError for an
/// empty prompt, ValueError for a context under 1 and a negative count.
///
///   generate(gpt, gpt.length(), vocabulary.encode("KING:"), 500, {.temperature = 0.8}, seed);
ESPALIER_API Tensor generate(const std::function<Tensor(const Tensor& tokens)>& logits, int64_t context,
                             const Tensor& prompt, int64_t count, const SamplingOptions& options,
                             uint64_t seed);
/// The same from a Gpt, whose context is its length. Until that is full each token costs only itself
/// (GptCache); what earlier ones left is the same but for rounding.
ESPALIER_API Tensor generate(const Gpt& gpt, const Tensor& prompt, int64_t count,
                             const SamplingOptions& options, uint64_t seed);

}  // namespace espalier::models
