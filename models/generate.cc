#include "models/generate.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <string>
#include <vector>

#include "core/door.h"
#include "core/error.h"
#include "core/philox.h"
#include "ops/at.h"
#include "ops/cast.h"

namespace espalier::models {
namespace {

void check(const SamplingOptions& options) {
  const auto refuse = [](const char* name, double value, const char* expected) {
    throw ValueError("sample", std::string(name) + " " + std::to_string(value) + "; expected " + expected);
  };
  if (!(options.temperature >= 0) || std::isinf(options.temperature))
    refuse("temperature", options.temperature, "0 or more");
  if (options.top_k < 0) refuse("top_k", static_cast<double>(options.top_k), "0 or more");
  if (!(options.top_p > 0 && options.top_p <= 1)) refuse("top_p", options.top_p, "more than 0, at most 1");
}

/// A token with what its probability is proportional to.
struct Candidate {
  int64_t token;
  double weight;
};

/// The tokens that may be drawn, most probable first, of equal ones the first.
std::vector<Candidate> candidates(const std::vector<double>& logits, const SamplingOptions& options) {
  std::vector<int64_t> order(logits.size());
  std::iota(order.begin(), order.end(), 0);
  const auto logit = [&](int64_t token) { return logits[static_cast<size_t>(token)]; };
  std::stable_sort(order.begin(), order.end(), [&](int64_t a, int64_t b) { return logit(a) > logit(b); });
  if (options.temperature == 0) return {{order[0], 1}};

  std::vector<Candidate> all;
  double sum = 0;
  for (const int64_t token : order) {
    all.push_back({token, std::exp((logit(token) - logit(order[0])) / options.temperature)});
    sum += all.back().weight;
  }
  if (options.top_k > 0 && options.top_k < static_cast<int64_t>(all.size()))
    all.resize(static_cast<size_t>(options.top_k));
  double reached = 0;
  for (size_t i = 0; i < all.size(); ++i) {
    reached += all[i].weight;
    if (options.top_p < 1 && reached >= options.top_p * sum) all.resize(i + 1);
  }
  return all;
}

}  // namespace

int64_t sample(const Tensor& logits, const SamplingOptions& options, double uniform) {
  check(options);
  if (!(uniform >= 0 && uniform < 1))
    throw ValueError("sample", "uniform " + std::to_string(uniform) + "; expected a number from [0, 1)");
  if (logits.rank() != 1 || logits.size(0) == 0)
    throw ShapeError("sample", "logits " + describe(logits) + "; expected [V]");
  if (!is_floating(logits.dtype()))
    throw TypeError("sample", "logits " + describe(logits) + "; expected floating-point numbers");
  const std::vector<double> values = cast(logits.detach(), Dtype::f64).to_vector<double>();
  const bool nan = std::any_of(values.begin(), values.end(), [](double value) { return std::isnan(value); });
  if (nan || !std::isfinite(*std::max_element(values.begin(), values.end())))
    throw NumericError("sample", "the logits hold a NaN or an infinity, or are all -inf");

  const std::vector<Candidate> drawn_from = candidates(values, options);
  double sum = 0;
  for (const Candidate& candidate : drawn_from) sum += candidate.weight;
  double left = uniform * sum;
  for (const Candidate& candidate : drawn_from) {
    left -= candidate.weight;
    if (left < 0) return candidate.token;
  }
  return drawn_from.back().token;  // by rounding
}

namespace {

/// Goes on with `prompt`: `next` gives the logits [V] behind all tokens so far.
Tensor go_on(const std::function<Tensor(const std::vector<int64_t>& tokens)>& next, const Tensor& prompt,
             int64_t count, const SamplingOptions& options, uint64_t seed) {
  if (prompt.rank() != 1 || prompt.size(0) == 0)
    throw ShapeError("generate", "prompt " + describe(prompt) + "; expected tokens [N], at least one");
  if (count < 0) throw ValueError("generate", "count " + std::to_string(count) + "; expected 0 or more");
  check(options);
  const NoGrad no_grad;
  std::vector<int64_t> tokens = prompt.to_vector<int64_t>();
  for (int64_t i = 0; i < count; ++i) {
    // 53 bits of a random word fill a double.
    const double uniform =
        static_cast<double>(philox_word64(seed, 0, static_cast<uint64_t>(i)) >> 11) * 0x1p-53;
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
