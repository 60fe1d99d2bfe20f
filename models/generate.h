#pragma once

#include <cstdint>
#include <functional>

#include "core/tensor.h"
#include "models/gpt.h"
#include "ops/sample_token.h"

namespace espalier::models {

using espalier::sample;
using espalier::SamplingOptions;

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
