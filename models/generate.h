#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <vector>

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
/// The same from a Gpt, whose context is its length, as plans (models/gpt_decoder.h). Until the context is
/// full each token costs only itself; what earlier ones left is the same but for rounding.
ESPALIER_API Tensor generate(const Gpt& gpt, const Tensor& prompt, int64_t count,
                             const SamplingOptions& options, uint64_t seed);

/// How texts go on.
struct GenerationOptions {
  int64_t count = 0;  ///< tokens that each text gets, unless it ends before
  SamplingOptions sampling = {};
  uint64_t seed = 0;
  std::optional<int64_t> end = {};  ///< the token behind which a text ends
  /// Called for each token as it comes, with its text's place among the prompts.
  std::function<void(int64_t text, int64_t token)> on_token = {};
};

/// Several texts at a time: prompts i64[N], of different lengths, each with what it goes on by. The first
/// text is what it would be alone; text n draws numbers from block n * 2^32 of the seed's stream on, whatever
/// the others do. Throws what the functions above do, and what `on_token` does.
///
///   const std::vector<Tensor> texts = generate(gpt, prompts, {.count = 500, .seed = 1, .end = newline});
ESPALIER_API std::vector<Tensor> generate(const Gpt& gpt, std::span<const Tensor> prompts,
                                          const GenerationOptions& options);

}  // namespace espalier::models
