#include "models/generate.h"

#include <algorithm>
#include <string>
#include <vector>

#include "core/door.h"
#include "core/error.h"
#include "core/philox.h"
#include "ops/at.h"
#include "ops/cast.h"

namespace espalier::models {
namespace {

/// Goes on with `prompt`: `next` gives the logits [V] behind all tokens so far.
Tensor go_on(const std::function<Tensor(const std::vector<int64_t>& tokens)>& next, const Tensor& prompt,
             int64_t count, const SamplingOptions& options, uint64_t seed) {
  if (prompt.rank() != 1 || prompt.size(0) == 0)
    throw ShapeError("generate", "prompt " + describe(prompt) + "; expected tokens [N], at least one");
  if (count < 0) throw ValueError("generate", "count " + std::to_string(count) + "; expected 0 or more");
  static_cast<void>(SampleToken(options));  // which checks them
  const NoGrad no_grad;
  std::vector<int64_t> tokens = prompt.to_vector<int64_t>();
  for (int64_t i = 0; i < count; ++i) {
    const double uniform = philox_uniform(philox_word64(seed, static_cast<uint64_t>(i), 0));
    tokens.push_back(sample(next(tokens), options, uniform));
  }
  return from_values(tokens, {static_cast<int64_t>(tokens.size())});
}

/// The last `count` of the tokens, [1, count].
Tensor last_of(const std::vector<int64_t>& tokens, int64_t count) {
  return from_values(std::vector<int64_t>(tokens.end() - count, tokens.end()), {1, count});
}

}  // namespace

Tensor generate(const std::function<Tensor(const Tensor& tokens)>& logits, int64_t context,
                const Tensor& prompt, int64_t count, const SamplingOptions& options, uint64_t seed) {
  if (context < 1)
    throw ValueError("generate", "context " + std::to_string(context) + "; expected 1 or more");
  const auto next = [&](const std::vector<int64_t>& tokens) {
    return at(logits(last_of(tokens, std::min(context, static_cast<int64_t>(tokens.size())))), 0, -1);
  };
  return go_on(next, prompt, count, options, seed);
}

Tensor generate(const Gpt& gpt, const Tensor& prompt, int64_t count, const SamplingOptions& options,
                uint64_t seed) {
  GptCache cache(gpt);
  int64_t cached = 0;
  const auto next = [&](const std::vector<int64_t>& tokens) {
    const auto length = static_cast<int64_t>(tokens.size());
    // Once the context moves, every token stands elsewhere in it, and nothing can be kept.
    if (length > gpt.length()) return at(gpt(last_of(tokens, gpt.length())), 0, -1);
    const Tensor fresh = last_of(tokens, length - cached);
    cached = length;
    return at(gpt(fresh, cache), 0);
  };
  return go_on(next, prompt, count, options, seed);
}

}  // namespace espalier::models
