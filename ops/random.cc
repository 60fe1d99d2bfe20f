#include "ops/random.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "ops/copy.h"
#include "ops/random_internal.h"
#include "ops/slice.h"

namespace espalier {
namespace {

bool is_state(const Tensor& tensor) {
  return tensor.defined() && tensor.dtype() == Dtype::i64 && tensor.shape() == Shape{2};
}

/// The default generators that somebody has asked for, and the seed of those to come.
struct DefaultGenerators {
  std::mutex mutex;
  uint64_t seed = 0;
  std::vector<std::pair<Device, Generator>> made;
};

DefaultGenerators& default_generators() {
  static auto* const all =
      new DefaultGenerators;  // never destroyed: threads may draw until the program's end
  return *all;
}

/// The specs of an operation that fills inputs[0] from the state inputs[1].
void infer_fill(std::string_view name, Inputs inputs, bool takes, const char* expected,
                OutputSpecs& outputs) {
  if (!takes)
    throw TypeError(name, "inputs " + describe(inputs) + "; expected a target of " + expected + " type");
  check_random_state(name, inputs, 1);
  outputs.push_back(OutputSpec::update(0, inputs[0]));
  outputs.push_back(OutputSpec::update(1, inputs[1]));
}

Tensor fill(const Operation& operation, const Tensor& target, const Generator& from) {
  check_defined(operation.name(), target);
  return apply_one(operation, target, from.state_on(target.device()));
}

Device device_of(const Generator& generator) {
  return generator.state().defined() ? generator.state().device() : kCpu;
}

}  // namespace

void check_random_state(std::string_view name, Inputs inputs, size_t i) {
  if (!is_state(inputs[i])) {
    throw TypeError(name, "inputs " + describe(inputs) + "; expected input " + std::to_string(i) +
                              " to be a generator's state, i64[2]");
  }
}

namespace {
thread_local DrawWatch* innermost_watch = nullptr;
}  // namespace

DrawWatch::DrawWatch() noexcept : outer_(innermost_watch) {
  innermost_watch = this;
}

DrawWatch::~DrawWatch() {
  innermost_watch = outer_;
}

void DrawWatch::note(const Tensor& state) {
  for (DrawWatch* watch = innermost_watch; watch; watch = watch->outer_) {
    const bool known = std::any_of(watch->drawn_.begin(), watch->drawn_.end(),
                                   [&](const DrawnFrom& drawn) { return drawn.state.is(state); });
    if (!known) watch->drawn_.push_back({state, copy(state)});
  }
}

Generator::Generator(uint64_t seed, Device device) : state_(empty({2}, Dtype::i64, device)) {
  manual_seed(seed);
}

Generator::Generator(const Tensor& state) : state_(state) {
  if (!is_state(state))
    throw TypeError("generator", "state is " + describe(state) + "; expected seed and offset, i64[2]");
}

Tensor Generator::state_on(Device device) const {
  // A recorder is given the CPU's default generator as a state on meta.
  const Tensor state = state_.defined() ? state_ : default_generator(device_of_values(device)).state();
  DrawWatch::note(state);
  return state;
}

void Generator::manual_seed(uint64_t seed) const {
  if (!state_.defined()) return espalier::manual_seed(seed);
  const Device device = state_.device();
  copy_(slice(state_, {{0, 1}}), full({1}, static_cast<int64_t>(seed), Dtype::i64, device));
  copy_(slice(state_, {{1, 2}}), zeros({1}, Dtype::i64, device));
}

Generator default_generator(Device device) {
  DefaultGenerators& all = default_generators();
  const std::lock_guard lock(all.mutex);
  for (const auto& [owner, generator] : all.made) {
    if (owner == device) return generator;
  }
  return all.made.emplace_back(device, Generator(all.seed, device)).second;
}

void manual_seed(uint64_t seed) {
  DefaultGenerators& all = default_generators();
  const std::lock_guard lock(all.mutex);
  all.seed = seed;
  for (const auto& [device, generator] : all.made) generator.manual_seed(seed);
}

Uniform::Uniform(double low, double high) : low_(low), high_(high) {
  if (!std::isfinite(low) || !std::isfinite(high) || low > high) {
    throw ValueError(kName, "range [" + std::to_string(low) + ", " + std::to_string(high) +
                                "); expected finite numbers in order");
  }
}

void Uniform::infer(Inputs inputs, OutputSpecs& outputs) const {
  infer_fill(kName, inputs, is_floating(inputs[0].dtype()), "a floating", outputs);
}

Normal::Normal(double mean, double deviation) : mean_(mean), deviation_(deviation) {
  if (!std::isfinite(mean) || !std::isfinite(deviation) || deviation < 0) {
    throw ValueError(kName, "mean " + std::to_string(mean) + ", deviation " + std::to_string(deviation) +
                                "; expected finite numbers and a deviation of at least 0");
  }
}

void Normal::infer(Inputs inputs, OutputSpecs& outputs) const {
  infer_fill(kName, inputs, is_floating(inputs[0].dtype()), "a floating", outputs);
}

RandomIntegers::RandomIntegers(int64_t low, int64_t high) : low_(low), high_(high) {
  if (low >= high) {
    throw ValueError(kName, "range [" + std::to_string(low) + ", " + std::to_string(high) +
                                ") is empty; expected low < high");
  }
}

void RandomIntegers::infer(Inputs inputs, OutputSpecs& outputs) const {
  const Dtype dtype = inputs[0].dtype();
  infer_fill(kName, inputs, is_integer(dtype) && dtype < Dtype::u16, "an integer", outputs);
  visit_dtype(dtype, [&](auto tag) {
    using T = typename decltype(tag)::type;
    if constexpr (std::is_integral_v<T> && !std::is_same_v<T, bool>) {
      if (std::in_range<T>(low_) && std::in_range<T>(high_ - 1)) return;
      throw ValueError(kName, "range [" + std::to_string(low_) + ", " + std::to_string(high_) +
                                  ") is beyond what " + describe(inputs[0]) + " holds");
    }
  });
}

RandomPermutation::RandomPermutation(int64_t n) : n_(n) {
  if (n < 0) throw ValueError(kName, "of " + std::to_string(n) + " numbers; expected 0 or more");
}

void RandomPermutation::infer(Inputs inputs, OutputSpecs& outputs) const {
  check_random_state(kName, inputs, 0);
  checked_count({n_}, kName);
  outputs.push_back(OutputSpec::fresh({n_}, Dtype::i64));
  outputs.push_back(OutputSpec::update(0, inputs[0]));
}

Tensor uniform_(const Tensor& target, double low, double high, const Generator& from) {
  return fill(Uniform(low, high), target, from);
}

Tensor normal_(const Tensor& target, double mean, double deviation, const Generator& from) {
  return fill(Normal(mean, deviation), target, from);
}

Tensor random_integers_(const Tensor& target, int64_t low, int64_t high, const Generator& from) {
  return fill(RandomIntegers(low, high), target, from);
}

Tensor uniform(const Shape& shape, double low, double high, Dtype dtype, const Generator& from) {
  return uniform_(empty(shape, dtype, device_of(from)), low, high, from);
}

Tensor normal(const Shape& shape, double mean, double deviation, Dtype dtype, const Generator& from) {
  return normal_(empty(shape, dtype, device_of(from)), mean, deviation, from);
}

Tensor random_integers(const Shape& shape, int64_t low, int64_t high, Dtype dtype, const Generator& from) {
  return random_integers_(empty(shape, dtype, device_of(from)), low, high, from);
}

Tensor random_permutation(int64_t n, const Generator& from) {
  return apply_one(RandomPermutation(n), from.state_on(device_of(from)));
}

}  // namespace espalier
