#include <algorithm>
#include <chrono>
#include <sstream>

#include "core/create.h"
#include "core/door.h"
#include "core/parallel.h"
#include "core/workspace.h"
#include "ops/random.h"
#include "runtime/graph.h"
#include "runtime/rewriter.h"
#include "runtime/time_kernels_internal.h"

namespace espalier::runtime {
namespace {

/// While it lives, tensors without elements have some.
class ElementsScope {
 public:
  void lend(const Tensor& tensor) {
    if (!tensor.defined() || tensor.raw_data() != nullptr) return;
    const Ref<Storage>& storage = tensor.body().storage;
    const auto floats = static_cast<int64_t>((storage->bytes() + sizeof(float) - 1) / sizeof(float));
    elements_.push_back(normal({floats}, 0, 1, Dtype::f32, generator_));
    storage->point_at(elements_.back().raw_data());
    lent_.push_back(storage);
  }
  ElementsScope() : generator_(Generator(0)) {}
  ~ElementsScope() {
    for (const Ref<Storage>& storage : lent_) storage->point_at(nullptr);
  }
  ElementsScope(const ElementsScope&) = delete;
  ElementsScope& operator=(const ElementsScope&) = delete;

 private:
  Generator generator_;
  std::vector<Tensor> elements_;
  std::vector<Ref<Storage>> lent_;
};

/// The shortest of several runs, in seconds: what else the machine does only adds.
double time_kernel(const Kernel& kernel, const Operation& operation, Inputs inputs, Outputs outputs,
                   uint32_t constants) {
  using Clock = std::chrono::steady_clock;
  // A convolution of a small network takes some 10 us: 5 ms are runs enough to meet a quiet moment. What that
  // comes to for whole networks, bench/plan_costs prints.
  constexpr int kLeastRuns = 3;
  constexpr auto kTime = std::chrono::milliseconds(5);
  const auto prepared = kernel.prepare ? kernel.prepare(operation, inputs, outputs, constants) : nullptr;
  const Scratch scratch(prepared ? prepared->scratch_bytes()
                                 : kernel.scratch_bytes(operation, inputs, outputs));
  const auto run = [&] {
    if (prepared)
      prepared->run(inputs, outputs, scratch.get());
    else
      kernel.run(operation, inputs, outputs, scratch.get());
  };
  run();  // warms up
  double best = 1e9;
  const Clock::time_point end = Clock::now() + kTime;
  for (int runs = 0; runs < kLeastRuns || Clock::now() < end; ++runs) {
    const Clock::time_point start = Clock::now();
    run();
    best = std::min(best, std::chrono::duration<double>(Clock::now() - start).count());
  }
  return best;
}

/// Any bytes are as good as others in these. Numbers that mean something, indices, are wider.
bool can_be_made_up(const Tensor& input) {
  return !input.defined() || is_floating(input.dtype()) || input.dtype() == Dtype::u8 ||
         input.dtype() == Dtype::i8;
}

/// The times of these kernels, from `choices` or taken now; null where they cannot be timed.
const KernelChoices::Timings* timings_of(std::span<const Kernel* const> kernels, const Operation& operation,
                                         Inputs inputs, Outputs outputs, uint32_t constants,
                                         KernelChoices& choices) {
  if (kernels.empty() || !std::all_of(inputs.begin(), inputs.end(), can_be_made_up)) return nullptr;
  const std::string problem = problem_text(operation, inputs, constants, num_threads());
  if (const KernelChoices::Timings* known = choices.find(problem)) return known;
  ElementsScope elements;
  for (const Tensor& input : inputs) elements.lend(input);
  for (const Tensor& output : outputs) elements.lend(output);
  KernelChoices::Timings timings;
  for (const Kernel* kernel : kernels)
    timings.push_back({kernel->name, time_kernel(*kernel, operation, inputs, outputs, constants)});
  choices.add(problem, std::move(timings));
  return choices.find(problem);
}

}  // namespace

// `conv2d(padding=[1, 1]) f32[1, 64, 32, 32] by [65536, 1, 2048, 64], f32[...] constant, 2 threads`
std::string problem_text(const Operation& operation, Inputs inputs, uint32_t constants, int threads) {
  std::ostringstream text;
  text << signature(operation) << ' ';
  for (size_t i = 0; i < inputs.size(); ++i) {
    if (!inputs[i].defined()) {
      text << "none, ";
      continue;
    }
    text << type_text(inputs[i]);
    if (!inputs[i].is_contiguous()) text << " by " << to_string(inputs[i].strides());
    text << (i < 32 && constants >> i & 1u ? " constant, " : ", ");
  }
  text << threads << (threads == 1 ? " thread" : " threads");
  return text.str();
}

const Kernel& choose_timed_kernel(const Operation& operation, Inputs inputs, Outputs outputs,
                                  uint32_t constants, KernelChoices& choices) {
  const std::vector<const Kernel*> kernels = contenders(operation, inputs, outputs, kCpu);
  const KernelChoices::Timings* const timings =
      kernels.size() < 2 ? nullptr : timings_of(kernels, operation, inputs, outputs, constants, choices);
  if (!timings) return choose_kernel(operation, inputs, outputs, kCpu);
  for (const KernelTiming& timing : *timings) {
    const auto found = std::find_if(kernels.begin(), kernels.end(),
                                    [&](const Kernel* kernel) { return kernel->name == timing.kernel; });
    if (found != kernels.end()) return **found;
  }
  return choose_kernel(operation, inputs, outputs, kCpu);
}

std::optional<double> kernel_seconds(const Operation& operation, Inputs inputs, Outputs outputs,
                                     uint32_t constants, KernelChoices& choices) {
  const std::vector<const Kernel*> kernels = contenders(operation, inputs, outputs, kCpu);
  const KernelChoices::Timings* const timings =
      timings_of(kernels, operation, inputs, outputs, constants, choices);
  return timings ? std::optional(timings->front().seconds) : std::nullopt;
}

}  // namespace espalier::runtime
