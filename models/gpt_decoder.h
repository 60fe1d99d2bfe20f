#pragma once

#include <cstdint>
#include <vector>

#include "models/gpt.h"
#include "ops/sample_token.h"
#include "runtime/compile.h"

namespace espalier::models {

/// Goes on with several texts at a time, token by token, as plans: one that reads a text's beginning, and one
/// that draws the next token of all texts from what their last ones leave in a GptCache. Both are made where
/// they are first needed. Each text draws numbers of its own, so its tokens do not depend on the others, but
/// for the rounding of products of other sizes.
///
///   GptDecoder decoder(gpt, 2, {.temperature = 0.8});
///   decoder.start(0, vocabulary.encode("KING:"), 1);
///   decoder.start(1, vocabulary.encode("QUEEN:"), 2);
///   for (...) decoder.step();
///
/// Beyond the model's length a text's tokens depend on the last ones that the model can look back on, which
/// are read anew for each token. One thread at a time may use it.
class ESPALIER_API GptDecoder {
 public:
  /// For so many sequences, none of which runs yet. Shares the weights of `gpt`; where they change, the next
  /// token is by what they are then. Throws ValueError for a number below 1 and options that make no sense.
  GptDecoder(const Gpt& gpt, int64_t sequences, const SamplingOptions& sampling);
  GptDecoder(const GptDecoder&) = delete;
  GptDecoder& operator=(const GptDecoder&) = delete;

  /// Lets `sequence` run: with the text `prompt`, i64[T], whatever it was before. Its numbers are those of
  /// (seed, offset) in the sense of core/philox.h, a block for each token. Returns the first token behind the
  /// prompt. Throws ValueError for a sequence that there isn't and for tokens that the model doesn't know,
  /// ShapeError and TypeError for a prompt that is not i64[T], T at least 1; NumericError.
  int64_t start(int64_t sequence, const Tensor& prompt, uint64_t seed, uint64_t offset = 0);
  /// Draws the next token of each sequence that runs; in the place of the others is -1. Throws NumericError
  /// where there is nothing to draw from; then start all sequences anew.
  const std::vector<int64_t>& step();
  /// Lets a sequence rest. Throws ValueError where there is no such sequence.
  void stop(int64_t sequence);

 private:
  struct Text {
    bool running = false;
    std::vector<int64_t> tokens;   ///< the whole text so far
    uint64_t seed = 0, block = 0;  ///< where its next number is
  };

  Text& text(int64_t sequence);
  bool fits(const Text& text) const;
  int64_t read(const Text& text);

  Gpt gpt_;  ///< the same weights
  SamplingOptions sampling_;
  std::vector<Text> texts_;
  std::vector<int64_t> drawn_;

  GptCache cache_;                   ///< of all sequences: what stands before their last tokens
  Tensor tokens_;                    ///< their last tokens, i64[N]
  Tensor states_;                    ///< their generators, i64[N, 2]
  runtime::CompiledFunction go_on_;  ///< from these to the next tokens

  GptCache one_;                    ///< of the sequence that is read
  Tensor state_;                    ///< its generator, i64[1, 2]
  runtime::CompiledFunction read_;  ///< tokens i64[1, B], of which i64[1] count, to the next one
};

}  // namespace espalier::models
