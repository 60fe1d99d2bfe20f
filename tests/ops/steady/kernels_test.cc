// Kernels take no memory: what they need for themselves is handed to them. So the runs of a plan take none.

#include <algorithm>
#include <cstring>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "autograd/autograd.h"
#include "core/backend.h"
#include "core/parallel.h"
#include "core/workspace.h"
#include "ops/copy.h"
#include "runtime/capture.h"
#include "runtime/passes.h"
#include "runtime/runner.h"
#include "runtime/state.h"
#include "tests/runtime/steady/allocations.h"
#include "tests/support/op_test.h"

namespace espalier::test {
namespace {

/// Whether `run` takes memory from the caching allocator or from the heap; what oneDNN does inside its
/// executions does not count.
template <class Run>
bool takes_memory(const Run& run) {
  const int64_t blocks = memory_stats().allocations;
  const HeapWatch heap;
  run();
  return heap.calls().own > 0 || memory_stats().allocations > blocks;
}

/// Copies of tensors, which share memory where the tensors do.
class Copies {
 public:
  Tensor of(const Tensor& tensor) {
    if (!tensor.defined()) return {};
    const Ref<Storage>& from = tensor.body().storage;
    Ref<Storage>& to = copied_[from.get()];
    if (!to) {
      to = make_ref<Storage>(from->bytes(), kCpu);
      if (from->bytes() > 0) std::memcpy(to->data(), from->data(), from->bytes());
    }
    return Tensor(
        make_ref<TensorBody>(to, tensor.dtype(), tensor.shape(), tensor.strides(), tensor.offset()));
  }
  Tensors of(std::span<const Tensor> tensors) {
    Tensors copies;
    for (const Tensor& tensor : tensors) copies.push_back(of(tensor));
    return copies;
  }

 private:
  std::map<const Storage*, Ref<Storage>> copied_;
};

/// Runs what the door ran once more, on copies, by each kernel that a plan may choose for it, and notes those
/// that take memory in a second run.
class MemoryChecker final : public Listener {
 public:
  void after(const Operation& operation, Inputs inputs, Outputs outputs) override {
    if (operation.kernels().kernels(DeviceType::cpu).empty()) return;  // a view
    std::vector<const Kernel*> kernels = contenders(operation, inputs, outputs, kCpu);
    if (kernels.empty()) kernels.push_back(&choose_kernel(operation, inputs, outputs, kCpu));
    uint32_t all = 0;
    for (size_t i = 0; i < inputs.size() && i < 32; ++i) all |= inputs[i].defined() ? 1u << i : 0;
    for (const Kernel* kernel : kernels) {
      Copies copies;
      const Tensors in = copies.of(inputs);
      Tensors out = copies.of(outputs);
      check(*kernel, operation, in, out, 0);
      if (kernel->prepare) check(*kernel, operation, in, out, all);
    }
  }

  const std::set<std::string>& checked() const { return checked_; }
  const std::set<std::string>& takers() const { return takers_; }

 private:
  void check(const Kernel& kernel, const Operation& operation, Inputs inputs, Outputs outputs,
             uint32_t constants) {
    const std::unique_ptr<const PreparedKernel> prepared =
        kernel.prepare ? kernel.prepare(operation, inputs, outputs, constants) : nullptr;
    const Scratch scratch(prepared ? prepared->scratch_bytes()
                                   : kernel.scratch_bytes(operation, inputs, outputs));
    const auto run = [&] {
      if (prepared)
        prepared->run(inputs, outputs, scratch.get());
      else
        kernel.run(operation, inputs, outputs, scratch.get());
    };
    run();
    const std::string name = std::string(operation.name()) + ", " + kernel.name;
    checked_.insert(name);
    if (takes_memory(run)) takers_.insert(name);
  }

  std::set<std::string> checked_, takers_;
};

/// Strides that few kernels can use where they are: every second element of memory.
Tensor spread_out(const Tensor& tensor) {
  if (!tensor.defined()) return tensor;
  Strides strides = contiguous_strides(tensor.shape());
  for (int64_t& stride : strides) stride *= 2;
  const Tensor apart = empty({2 * tensor.numel()}, tensor.dtype()).with_layout(tensor.shape(), strides, 0);
  copy_(apart, tensor);
  return apart;
}

/// Forward and, where there is one, backward.
std::vector<Tensor> run_forward_and_back(const OpSample& sample, const std::vector<Tensor>& inputs) {
  const Tensors outputs = sample.run(inputs);
  for (const Tensor& output : outputs) {
    if (output.requires_grad())
      backward(output, ones(output.shape(), output.dtype()), {.retain_graph = true});
  }
  return {outputs.begin(), outputs.end()};
}

/// Calls `f(sample, inputs)` for all samples of all operations in all their types, also with inputs that have
/// gaps.
template <class F>
void for_each_sample(const F& f) {
  for (const OpTest& test : op_tests()) {
    for (const OpSample& sample : test.samples) {
      for (const Dtype dtype : test.dtypes) {
        const bool differentiable = test.differentiable && is_floating(dtype) && size_of(dtype) > 1;
        for (const bool gaps : {false, true}) {
          SCOPED_TRACE(test.name + ", " + sample.label + " in " + std::string(to_string(dtype)) +
                       (gaps ? " with gaps" : ""));
          std::vector<Tensor> inputs = make_inputs(sample, dtype);
          for (size_t i = 0; i < inputs.size(); ++i) {
            if (gaps) inputs[i] = spread_out(inputs[i]);
            if (differentiable && inputs[i].defined() && is_floating(inputs[i].dtype()) &&
                sample.inputs[i].differentiable)
              inputs[i] = requires_grad_(inputs[i]);
          }
          f(sample, inputs);
        }
      }
    }
  }
}

TEST(SteadyKernels, TakeNoMemory) {
  const ThreadCountGuard threads(2);
  MemoryChecker checker;
  const ListenerScope scope(ListenerSlot::checker, &checker);
  for_each_sample([](const OpSample& sample, const std::vector<Tensor>& inputs) {
    run_forward_and_back(sample, inputs);
  });
  EXPECT_THAT(checker.takers(), testing::IsEmpty());
  EXPECT_THAT(checker.checked(),
              testing::IsSupersetOf({"matmul, gemm", "conv2d, winograd 4x4", "conv2d, onednn",
                                     "conv2d, through f32", "svd, lapack", "sort, plain"}));
}

/// At sizes that people use, where work is shared out among threads.
TEST(SteadyKernels, TakeNoMemoryForLargerProblems) {
  constexpr int64_t kMost = 1 << 20;  // elements of inputs: more take long, in the same code
  const ThreadCountGuard threads(2);
  const NoGrad no_grad;
  MemoryChecker checker;
  const ListenerScope scope(ListenerSlot::checker, &checker);
  for (const OpTest& test : op_tests()) {
    const bool f32 = std::find(test.dtypes.begin(), test.dtypes.end(), Dtype::f32) != test.dtypes.end();
    for (const OpSample& sample : test.benchmarks) {
      int64_t elements = 0;
      for (const InputSpec& input : sample.inputs) elements += input.absent ? 0 : count(input.shape);
      if (elements <= kMost) sample.run(make_inputs(sample, f32 ? Dtype::f32 : test.dtypes[0]));
    }
  }
  // OpenBLAS itself takes memory, for some CPUs, in the singular value decomposition of all but small
  // matrices.
  EXPECT_THAT(checker.takers(), testing::Each("svd, lapack"));
}

/// Plans, whose own copies count as well.
TEST(SteadyKernels, PlansOfTheirOperationsTakeNoMemory) {
  const ThreadCountGuard threads(2);
  for_each_sample([](const OpSample& sample, const std::vector<Tensor>& inputs) {
    runtime::State state;
    for (size_t i = 0; i < inputs.size(); ++i) {
      if (inputs[i].defined()) state.add("input" + std::to_string(i), inputs[i]);
    }
    const runtime::Graph graph =
        runtime::capture([&](Inputs) { return run_forward_and_back(sample, inputs); }, {}, state);
    runtime::Runner runner(std::make_shared<const runtime::Plan>(runtime::optimise(graph)));
    const std::vector<Tensor> results = runner.run({});
    runner.run({}, results);
    EXPECT_FALSE(takes_memory([&] { runner.run({}, results); }));
  });
}

TEST(SteadyKernels, SeeWhatIsTaken) {
  EXPECT_TRUE(takes_memory([] { const Scratch block(1); }));
  EXPECT_TRUE(takes_memory([] { std::vector<int> numbers(3); }));
  EXPECT_FALSE(takes_memory([] {}));
}

}  // namespace
}  // namespace espalier::test
