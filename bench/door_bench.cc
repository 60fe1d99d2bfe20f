// What the door costs: an operation on one element through apply(), against the same kernel called directly.
//
//   build/release/bench/door_bench
//
// The difference of the first two is the cost without gradient (bar: 250 ns), of the third and the first the
// cost with the tape recording (bar: 500 ns).

#include <array>

#include <benchmark/benchmark.h>

#include "autograd/autograd.h"
#include "core/operation.h"
#include "core/parallel.h"
#include "ops/add.h"

namespace espalier {
namespace {

void kernel_alone(benchmark::State& state) {
  const ThreadCountGuard one_thread(1);
  const Add operation;
  const std::array<Tensor, 2> inputs = {ones({1}), ones({1})};
  std::array<Tensor, 1> outputs = {ones({1})};
  const Kernel& kernel = operation.kernels().kernels(DeviceType::cpu).front();
  for (auto _ : state) {  // NOLINT(clang-analyzer-deadcode.DeadStores)
    kernel.run(operation, inputs, outputs, nullptr);
    benchmark::ClobberMemory();
  }
}
BENCHMARK(kernel_alone);

void through_the_door(benchmark::State& state) {
  const ThreadCountGuard one_thread(1);
  const std::array<Tensor, 2> inputs = {ones({1}), ones({1})};
  for (auto _ : state)  // NOLINT(clang-analyzer-deadcode.DeadStores)
    benchmark::DoNotOptimize(espalier::apply(Add(), inputs));
}
BENCHMARK(through_the_door);

void recorded_by_the_tape(benchmark::State& state) {
  const ThreadCountGuard one_thread(1);
  const std::array<Tensor, 2> inputs = {requires_grad_(ones({1})), ones({1})};
  for (auto _ : state)  // NOLINT(clang-analyzer-deadcode.DeadStores)
    benchmark::DoNotOptimize(espalier::apply(Add(), inputs));
}
BENCHMARK(recorded_by_the_tape);

}  // namespace
}  // namespace espalier

BENCHMARK_MAIN();
