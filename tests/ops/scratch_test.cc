// What kernels say of the memory that they need for themselves, and what they do with it.

#include <algorithm>
#include <cstring>
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "autograd/autograd.h"
#include "core/workspace.h"
#include "ops/copy.h"
#include "tests/support/op_test.h"

namespace espalier::test {
namespace {

/// Behind the memory that a kernel asked for: bytes that it must leave alone.
constexpr size_t kGuard = 4096;
constexpr int kMark = 0xA5;

/// The same layout in memory that nobody has.
Tensor without_elements(const Tensor& tensor) {
  if (!tensor.defined()) return {};
  return Tensor(
      make_ref<TensorBody>(make_ref<Storage>(static_cast<void*>(nullptr), tensor.body().storage->bytes(),
                                             kCpu, std::function<void()>()),
                           tensor.dtype(), tensor.shape(), tensor.strides(), tensor.offset()));
}

Tensors without_elements(std::span<const Tensor> tensors) {
  Tensors shadows;
  for (const Tensor& tensor : tensors) shadows.push_back(without_elements(tensor));
  return shadows;
}

/// Runs what the door ran once more, by each kernel that asks for memory: in exactly as much as it asked for
/// before there were any elements.
class ScratchChecker final : public Listener {
 public:
  void after(const Operation& operation, Inputs inputs, Outputs outputs) override {
    for (const Kernel& kernel : operation.kernels().kernels(DeviceType::cpu)) {
      if (kernel.scratch && !(kernel.decline && kernel.decline(operation, inputs, outputs)))
        check(kernel, operation, inputs, outputs);
    }
  }

  const std::set<std::string>& checked() const { return checked_; }

 private:
  void check(const Kernel& kernel, const Operation& operation, Inputs inputs, Outputs outputs) {
    Tensors fresh;
    for (const Tensor& output : outputs) {
      for (const Tensor& input : inputs) {
        // A second update would be another result.
        if (input.defined() && input.body().storage == output.body().storage) return;
      }
      fresh.push_back(empty_strided(output.shape(), output.strides(), output.dtype()));
    }
    const size_t bytes = kernel.scratch_bytes(operation, without_elements(inputs), without_elements(outputs));
    const Scratch block(bytes + kGuard);
    std::memset(block.get(), kMark, bytes + kGuard);
    kernel.run(operation, inputs, fresh, block.get());
    const auto* const guard = static_cast<const unsigned char*>(block.get()) + bytes;
    EXPECT_TRUE(std::all_of(guard, guard + kGuard, [](unsigned char byte) { return byte == kMark; }))
        << operation.name() << ", " << kernel.name << ": wrote behind its " << bytes << " bytes";
    checked_.insert(std::string(operation.name()));
  }

  std::set<std::string> checked_;
};

/// Strides that few kernels can use where they are: every second element of memory.
Tensor spread(const Tensor& tensor) {
  if (!tensor.defined()) return tensor;
  Strides strides = contiguous_strides(tensor.shape());
  for (int64_t& stride : strides) stride *= 2;
  const Tensor apart = empty({2 * tensor.numel()}, tensor.dtype()).with_layout(tensor.shape(), strides, 0);
  copy_(apart, tensor);
  return apart;
}

/// Forward and, where there is one, backward.
void run_both_ways(const OpSample& sample, std::vector<Tensor> inputs, bool differentiable) {
  for (size_t i = 0; differentiable && i < inputs.size(); ++i) {
    if (inputs[i].defined() && is_floating(inputs[i].dtype()) && sample.inputs[i].differentiable)
      inputs[i] = requires_grad_(inputs[i]);
  }
  for (const Tensor& output : sample.run(inputs)) {
    if (output.requires_grad())
      backward(output, ones(output.shape(), output.dtype()), {.retain_graph = true});
  }
}

TEST(KernelScratch, KernelsKeepToWhatTheyAskFor) {
  ScratchChecker checker;
  const ListenerScope scope(ListenerSlot::checker, &checker);
  for (const OpTest& test : op_tests()) {
    for (const OpSample& sample : test.samples) {
      for (const Dtype dtype : test.dtypes) {
        SCOPED_TRACE(test.name + ", " + sample.label + " in " + std::string(to_string(dtype)));
        const bool differentiable = test.differentiable && is_floating(dtype) && size_of(dtype) > 1;
        std::vector<Tensor> inputs = make_inputs(sample, dtype);
        run_both_ways(sample, inputs, differentiable);
        for (Tensor& input : inputs) input = spread(input);
        run_both_ways(sample, inputs, differentiable);
      }
    }
  }
  for (const char* name :
       {"linear_backward", "layer_norm_backward", "attention_backward", "batch_norm_backward",
        "cross_entropy", "cross_entropy_backward", "sum", "mse_loss"})
    EXPECT_TRUE(checker.checked().contains(name)) << name;
}

}  // namespace
}  // namespace espalier::test
