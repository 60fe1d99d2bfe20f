#include "models/gpt_decoder.h"

#include <algorithm>
#include <bit>
#include <string>

#include "autograd/autograd.h"
#include "core/error.h"
#include "ops/copy.h"
#include "ops/reshape.h"

namespace espalier::models {
namespace {

/// Texts are read in these many tokens, or twice as many, and so on: with as many plans as that makes, not
/// one for each length. Reading 16 tokens takes little longer than reading one, since the weights are the
/// same.
constexpr int64_t kShortestRead = 16;

int64_t read_length(int64_t tokens, int64_t longest) {
  const auto power = static_cast<int64_t>(std::bit_ceil(static_cast<uint64_t>(tokens)));
  return std::min(std::max(power, kShortestRead), longest);
}

runtime::State state_with(Gpt& gpt, GptCache& cache, const Tensor& generators) {
  runtime::State state(gpt, cache);
  state.add("generators", generators);
  return state;
}

}  // namespace

GptDecoder::GptDecoder(const Gpt& gpt, int64_t sequences, const SamplingOptions& sampling)
    : gpt_(gpt),
      sampling_(sampling),
      cache_(gpt, sequences),
      tokens_(zeros({sequences}, Dtype::i64)),
      states_(zeros({sequences, 2}, Dtype::i64)),
      go_on_(
          [this](Inputs) -> std::vector<Tensor> {
            copy_(tokens_, sample_token(gpt_(unsqueeze(tokens_, 1), cache_), sampling_, states_));
            return {};
          },
          state_with(gpt_, cache_, states_).add("tokens", tokens_)),
      one_(gpt),
      state_(zeros({1, 2}, Dtype::i64)),
      read_(
          [this](Inputs in) -> std::vector<Tensor> {
            one_.clear();
            return {sample_token(gpt_(in[0], in[1], one_), sampling_, state_)};
          },
          state_with(gpt_, one_, state_)) {
  static_cast<void>(SampleToken(sampling));  // which checks them
  texts_.resize(static_cast<size_t>(sequences));
  drawn_.resize(static_cast<size_t>(sequences), -1);
}

GptDecoder::Text& GptDecoder::text(int64_t sequence) {
  if (sequence < 0 || sequence >= static_cast<int64_t>(texts_.size())) {
    throw ValueError("GptDecoder", "there is no sequence " + std::to_string(sequence) + "; expected one of " +
                                       std::to_string(texts_.size()));
  }
  return texts_[static_cast<size_t>(sequence)];
}

void GptDecoder::stop(int64_t sequence) {
  text(sequence).running = false;
}

/// Whether the cache, which has all tokens but the last, takes that one.
bool GptDecoder::fits(const Text& text) const {
  return static_cast<int64_t>(text.tokens.size()) <= gpt_.length();
}

int64_t GptDecoder::start(int64_t sequence, const Tensor& prompt, uint64_t seed, uint64_t offset) {
  if (prompt.rank() != 1 || prompt.size(0) == 0)
    throw ShapeError("GptDecoder", "prompt " + describe(prompt) + "; expected tokens [T], at least one");
  Text& begun = text(sequence);
  begun = {.running = false, .tokens = prompt.to_vector<int64_t>(), .seed = seed, .block = offset};
  const int64_t next = read(begun);
  begun.running = true;
  begun.tokens.push_back(next);
  ++begun.block;
  if (fits(begun)) {
    cache_.replace(sequence, one_);
    tokens_.mutable_data<int64_t>()[sequence] = next;
    auto* const state = states_.mutable_data<int64_t>() + 2 * sequence;
    state[0] = static_cast<int64_t>(begun.seed);
    state[1] = static_cast<int64_t>(begun.block);
  }
  return next;
}

/// Draws the token behind a text, of which one_ then has as much as it holds.
int64_t GptDecoder::read(const Text& text) {
  const NoGrad no_grad;
  const auto length = static_cast<int64_t>(text.tokens.size()), count = std::min(length, gpt_.length());
  std::vector<int64_t> tokens(text.tokens.end() - count, text.tokens.end());
  const int64_t padded = read_length(count, gpt_.length());
  tokens.resize(static_cast<size_t>(padded));  // no token looks at those behind it
  auto* const state = state_.mutable_data<int64_t>();
  state[0] = static_cast<int64_t>(text.seed);
  state[1] = static_cast<int64_t>(text.block);
  const Tensor inputs[] = {from_values(tokens, {1, padded}), from_values<int64_t>({count}, {1})};
  return read_.run(inputs)[0].data<int64_t>()[0];
}

const std::vector<int64_t>& GptDecoder::step() {
  const NoGrad no_grad;
  const auto steps = [&](const Text& text) { return text.running && fits(text); };
  // What the plan computes for the other sequences, from places that are there, nobody reads.
  auto* const lengths = cache_.lengths.mutable_data<int64_t>();
  for (size_t n = 0; n < texts_.size(); ++n) {
    if (!steps(texts_[n])) lengths[n] = 0;
  }
  if (std::any_of(texts_.begin(), texts_.end(), steps)) go_on_.run({});
  for (size_t n = 0; n < texts_.size(); ++n) {
    Text& text = texts_[n];
    drawn_[n] = -1;
    if (!text.running) continue;
    drawn_[n] = fits(text) ? tokens_.data<int64_t>()[n] : read(text);
    text.tokens.push_back(drawn_[n]);
    ++text.block;
  }
  return drawn_;
}

}  // namespace espalier::models
