#include "ops/sample_token.h"

#include <cmath>
#include <string>

#include "ops/cast.h"
#include "ops/copy.h"
#include "ops/random_internal.h"
#include "ops/token_sampler_internal.h"

namespace espalier {
namespace {

void check_logits(const Tensor& logits, int rank, const char* expected) {
  if (!is_floating(logits.dtype()))
    throw TypeError(SampleToken::kName, "logits " + describe(logits) + "; expected a floating type");
  if (logits.rank() != rank || logits.shape().back() == 0) {
    throw ShapeError(SampleToken::kName,
                     "logits " + describe(logits) + "; expected " + expected + ", V at least 1");
  }
}

template <class T>
int64_t drawn_of(const Tensor& logits, const SamplingOptions& options, double uniform) {
  Workspace counter;
  static_cast<void>(TokenSampler<T>(options, logits.numel(), counter));
  const Scratch memory(counter.bytes());
  Workspace work(memory.get());
  return TokenSampler<T>(options, logits.numel(), work)
      .draw(static_cast<const T*>(logits.raw_data()), 0, uniform);
}

}  // namespace

SampleToken::SampleToken(const SamplingOptions& options) : options_(options) {
  const auto refuse = [](const char* name, double value, const char* expected) {
    throw ValueError(kName, std::string(name) + " " + std::to_string(value) + "; expected " + expected);
  };
  // Written so that NaN is refused.
  if (!(options.temperature >= 0) || std::isinf(options.temperature))
    refuse("temperature", options.temperature, "0 or more");
  if (options.top_k < 0) refuse("top_k", static_cast<double>(options.top_k), "0 or more");
  if (!(options.top_p > 0 && options.top_p <= 1)) refuse("top_p", options.top_p, "more than 0, at most 1");
}

void SampleToken::infer(Inputs inputs, OutputSpecs& outputs) const {
  const Tensor &logits = inputs[0], &state = inputs[1];
  check_logits(logits, 2, "[N, V]");
  const bool fits = state.shape() == Shape{2} || state.shape() == Shape{logits.size(0), 2};
  if (state.dtype() != Dtype::i64 || !fits) {
    throw TypeError(kName, "inputs " + describe(inputs) +
                               "; expected input 1 to be a generator's state, i64[2], or one for each row");
  }
  outputs.push_back(OutputSpec::fresh({logits.size(0)}, Dtype::i64));
  outputs.push_back(OutputSpec::update(1, state));
}

Cost SampleToken::cost(Inputs inputs, std::span<const OutputSpec> outputs) const {
  Cost cost = Operation::cost(inputs, outputs);
  cost.flops = inputs[0].numel();
  return cost;
}

Tensor sample_token(const Tensor& logits, const SamplingOptions& options, const Generator& from) {
  check_defined(SampleToken::kName, logits);
  return apply_one(SampleToken(options), logits, from.state_on(logits.device()));
}

Tensor sample_token(const Tensor& logits, const SamplingOptions& options, const Tensor& states) {
  const Tensor inputs[] = {logits, states};
  check_defined(SampleToken::kName, inputs);
  DrawWatch::note(states);
  return apply_one(SampleToken(options), logits, states);
}

int64_t sample(const Tensor& logits, const SamplingOptions& options, double uniform) {
  check_defined(SampleToken::kName, logits);
  const SampleToken checked(options);
  if (!(uniform >= 0 && uniform < 1)) {
    throw ValueError(SampleToken::kName,
                     "uniform " + std::to_string(uniform) + "; expected a number from [0, 1)");
  }
  check_logits(logits, 1, "[V]");
  const bool wide = logits.dtype() == Dtype::f64;
  const Tensor row = contiguous(cast(logits.detach(), wide ? Dtype::f64 : Dtype::f32));
  return wide ? drawn_of<double>(row, options, uniform) : drawn_of<float>(row, options, uniform);
}

}  // namespace espalier
