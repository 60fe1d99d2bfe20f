// Times operations at the sizes that people use, which their test objects name (`benchmarks`), in f32 (where
// they do not take it, in their first type): forward alone, and forward with backward.
//
//   build/release/bench/ops_bench --benchmark_filter=gelu

#include <algorithm>

#include <benchmark/benchmark.h>

#include "autograd/autograd.h"
#include "tests/support/op_test.h"

namespace espalier {
namespace {

int64_t bytes_of(std::span<const Tensor> tensors) {
  int64_t bytes = 0;
  for (const Tensor& tensor : tensors) {
    if (tensor.defined()) bytes += tensor.numel() * static_cast<int64_t>(size_of(tensor.dtype()));
  }
  return bytes;
}

void forward(benchmark::State& state, const test::OpSample& sample, Dtype dtype) {
  const NoGrad no_grad;
  const std::vector<Tensor> inputs = test::make_inputs(sample, dtype);
  Tensors outputs = sample.run(inputs);  // warms up; its size is what a run moves
  const int64_t bytes = bytes_of(inputs) + bytes_of(outputs);
  for (auto _ : state) outputs = sample.run(inputs);  // NOLINT(clang-analyzer-deadcode.DeadStores)
  state.SetBytesProcessed(state.iterations() * bytes);
}

void forward_and_backward(benchmark::State& state, const test::OpSample& sample) {
  std::vector<Tensor> inputs = test::make_inputs(sample, Dtype::f32), wanted;
  for (size_t i = 0; i < inputs.size(); ++i) {
    if (!inputs[i].defined() || !is_floating(inputs[i].dtype()) || !sample.inputs[i].differentiable) continue;
    wanted.push_back(requires_grad_(inputs[i]));
  }
  const Tensors first = sample.run(inputs);
  if (wanted.empty() || !first[0].requires_grad()) {
    state.SkipWithError("no input wants a gradient");
    return;
  }
  const GradOptions options{.gradients = {ones(first[0].shape(), first[0].dtype())}, .allow_unused = true};
  for (auto _ : state)  // NOLINT(clang-analyzer-deadcode.DeadStores)
    benchmark::DoNotOptimize(grad(sample.run(inputs)[0], wanted, options));
}

void register_all() {
  for (const test::OpTest& test : test::op_tests()) {
    const bool takes_f32 = std::find(test.dtypes.begin(), test.dtypes.end(), Dtype::f32) != test.dtypes.end();
    const Dtype dtype = takes_f32 ? Dtype::f32 : test.dtypes.front();
    for (const test::OpSample& sample : test.benchmarks) {
      const std::string name = test.name + "/" + sample.label;
      benchmark::RegisterBenchmark(name.c_str(), forward, sample, dtype)->UseRealTime();
      if (test.differentiable) {
        benchmark::RegisterBenchmark((name + "/with backward").c_str(), forward_and_backward, sample)
            ->UseRealTime();
      }
    }
  }
}

}  // namespace
}  // namespace espalier

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  espalier::register_all();
  benchmark::RunSpecifiedBenchmarks();
}
