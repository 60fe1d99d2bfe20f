#include "runtime/step_cost_internal.h"

namespace espalier::runtime {
namespace {

// Measured by bench/plan_threads on 2 cores of an EPYC 9004 with AVX-512, a thread: products and convolutions
// of networks for images and texts reach 30 to 110 Gflop/s, passes over memory 30 to 55 GB/s, products with
// one row 85 GB/s.
constexpr double kFlopsPerSecond = 100e9;
constexpr double kBytesPerSecond = 50e9;
// What a step that two threads share takes beyond half of its time on one: the fork, 0.7 us, and parts that
// are uneven or packed twice. Seen are 2 us for the product of one row with a matrix of 256 x 256, and 6 us
// for one of 0.3 Mflop: products break even at 4 to 12 us.
constexpr double kSplitSeconds = 4e-6;
// Estimates are seldom further off than this.
constexpr double kDoubt = 8;

}  // namespace

Cost cost_of(const Step& step) {
  Tensors inputs;
  for (const Operand& input : step.inputs) inputs.push_back(input.buffer < 0 ? Tensor() : input.type);
  OutputSpecs specs;
  step.operation->infer(inputs, specs);
  return step.operation->cost(inputs, specs);
}

StepSeconds estimated_seconds(const Step& step, int threads) {
  const Cost cost = cost_of(step);
  const double one =
      static_cast<double>(cost.flops) / kFlopsPerSecond + static_cast<double>(cost.bytes) / kBytesPerSecond;
  // What is computed again is there to save memory, which steps side by side take more of.
  return {one, one / threads + kSplitSeconds, step.marks.again, step.marks.part};
}

bool worth_timing(const StepSeconds& estimate) {
  return estimate.one < kDoubt * kSplitSeconds && kDoubt * estimate.one > kSplitSeconds;
}

}  // namespace espalier::runtime
