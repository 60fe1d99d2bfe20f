#include "models/generate.h"

#include <algorithm>
#include <string>
#include <vector>

#include "core/door.h"
#include "core/error.h"
#include "core/philox.h"
#include "models/gpt_decoder.h"
#include "ops/at.h"

namespace espalier::models {
namespace {

void check_prompt(const Tensor& prompt) {
  if (prompt.rank() != 1 || prompt.size(0) == 0)
    throw ShapeError("generate", "prompt " + describe(prompt) + "; expected tokens [N], at least one");
}

void check(int64_t count, const SamplingOptions& options) {
  if (count < 0) throw ValueError("generate", "count " + std::to_string(count) + "; expected 0 or more");
  static_cast<void>(SampleToken(options));  // which checks them
}

/// The last `count` of the tokens, [1, count].
Tensor last_of(const std::vector<int64_t>& tokens, int64_t count) {
  return from_values(std::vector<int64_t>(tokens.end() - count, tokens.end()), {1, count});
}

Tensor as_tokens(const std::vector<int64_t>& tokens) {
  return from_values(tokens, {static_cast<int64_t>(tokens.size())});
}

/// Texts that go on together.
class Texts {
 public:
  Texts(std::span<const Tensor> prompts, const GenerationOptions& options) : options_(options) {
    for (const Tensor& prompt : prompts) tokens_.push_back(prompt.to_vector<int64_t>());
  }

  /// A token for one of them; whether it goes on.
  bool add(size_t text, int64_t token) {
    tokens_[text].push_back(token);
    if (options_.on_token) options_.on_token(static_cast<int64_t>(text), token);
    return token != options_.end;
  }

  std::vector<Tensor> all() const {
    std::vector<Tensor> texts;
    for (const std::vector<int64_t>& tokens : tokens_) texts.push_back(as_tokens(tokens));
    return texts;
  }

 private:
  const GenerationOptions& options_;
  std::vector<std::vector<int64_t>> tokens_;
};

}  // namespace

Tensor generate(const std::function<Tensor(const Tensor& tokens)>& logits, int64_t context,
                const Tensor& prompt, int64_t count, const SamplingOptions& options, uint64_t seed) {
  if (context < 1)
    throw ValueError("generate", "context " + std::to_string(context) + "; expected 1 or more");
  check_prompt(prompt);
  check(count, options);
  const NoGrad no_grad;
  std::vector<int64_t> tokens = prompt.to_vector<int64_t>();
  for (int64_t i = 0; i < count; ++i) {
    const Tensor seen = last_of(tokens, std::min(context, static_cast<int64_t>(tokens.size())));
    // A block for each token, as GptDecoder draws.
    const double uniform = philox_uniform(philox_word64(seed, static_cast<uint64_t>(i), 0));
    tokens.push_back(sample(at(logits(seen), 0, -1), options, uniform));
  }
  return as_tokens(tokens);
}

Tensor generate(const Gpt& gpt, const Tensor& prompt, int64_t count, const SamplingOptions& options,
                uint64_t seed) {
  return generate(gpt, std::span(&prompt, 1), {.count = count, .sampling = options, .seed = seed})[0];
}

std::vector<Tensor> generate(const Gpt& gpt, std::span<const Tensor> prompts,
                             const GenerationOptions& options) {
  for (const Tensor& prompt : prompts) check_prompt(prompt);
  check(options.count, options.sampling);
  Texts texts(prompts, options);
  if (prompts.empty() || options.count == 0) return texts.all();

  const auto count = static_cast<int64_t>(prompts.size());
  GptDecoder decoder(gpt, count, options.sampling);
  int64_t running = count;
  const auto take = [&](int64_t text, int64_t token) {
    if (texts.add(static_cast<size_t>(text), token)) return;
    decoder.stop(text);
    --running;
  };
  for (int64_t n = 0; n < count; ++n)
    take(n, decoder.start(n, prompts[static_cast<size_t>(n)], options.seed, static_cast<uint64_t>(n) << 32));
  for (int64_t i = 1; i < options.count && running > 0; ++i) {
    const std::vector<int64_t>& tokens = decoder.step();
    for (int64_t n = 0; n < count; ++n) {
      if (tokens[static_cast<size_t>(n)] >= 0) take(n, tokens[static_cast<size_t>(n)]);
    }
  }
  return texts.all();
}

}  // namespace espalier::models
