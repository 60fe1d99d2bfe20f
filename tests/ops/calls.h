#pragma once

#include <memory>
#include <vector>

#include "core/door.h"
#include "ops/copy.h"

namespace espalier::test {

/// One run of an operation, with its inputs as they were before it.
struct Call {
  std::unique_ptr<Operation> operation;
  std::vector<Tensor> inputs;
};

/// Keeps every call that passes through the door and that `wanted` wants.
class Calls final : public Listener {
 public:
  using Wanted = bool (*)(const Operation&, Inputs);
  explicit Calls(Wanted wanted) : wanted_(wanted) {}

  void before(const Operation& operation, Inputs inputs, std::span<const OutputSpec>) override {
    if (!wanted_(operation, inputs)) return;
    const ListenerScope deaf(ListenerSlot::recorder, nullptr);
    calls.push_back({operation.clone(), copies(inputs)});
  }
  void after(const Operation&, Inputs, Outputs) override {}

  static std::vector<Tensor> copies(Inputs inputs) {
    std::vector<Tensor> result;
    for (const Tensor& input : inputs) result.push_back(input.defined() ? copy(input) : Tensor());
    return result;
  }

  std::vector<Call> calls;

 private:
  Wanted wanted_;
};

}  // namespace espalier::test
