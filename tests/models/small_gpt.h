#pragma once

#include "autograd/autograd.h"
#include "models/gpt.h"
#include "nn/state.h"
#include "ops/copy.h"
#include "ops/random.h"

namespace espalier::test {

constexpr int64_t kLength = 16, kVocabulary = 11;

/// Two blocks, 32 wide, with larger weights than a fresh model's, so that the logits depend on all tokens.
inline models::Gpt small_gpt() {
  manual_seed(3);
  models::Gpt gpt(2, 32, 4, kLength, kVocabulary);
  const NoGrad no_grad;
  for (auto& [name, parameter] : nn::named_parameters(gpt))
    copy_(parameter, uniform(parameter.shape(), -1, 1));
  return gpt;
}

}  // namespace espalier::test
