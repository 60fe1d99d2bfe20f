#include "autograd/graph_internal.h"

namespace espalier {
namespace {

/// Turns each operation on tensors that require a gradient into a node of the graph.
class Tape final : public Listener {
 public:
  void before(const Operation& operation, Inputs inputs, std::span<const OutputSpec> specs) override {
    refuse_updates(operation, inputs, specs);
  }

  void after(const Operation& operation, Inputs inputs, Outputs outputs) override {
    bool any = false;
    for (size_t i = 0; i < outputs.size(); ++i) any |= operation.differentiable(static_cast<int>(i));
    if (!any) return;
    const auto node = make_ref<OperationNode>(operation, inputs);
    node->link_outputs(outputs, operation.saved_for_backward());
  }
};

}  // namespace

void refuse_updates(const Operation& operation, Inputs inputs, std::span<const OutputSpec> specs) {
  for (const OutputSpec& spec : specs) {
    if (spec.kind != OutputSpec::Kind::update) continue;
    const Tensor& updated = inputs[static_cast<size_t>(spec.source)];
    if (updated.requires_grad()) {
      throw GradientError(
          operation.name(),
          "would change " + describe(updated) +
              " in place, which requires a gradient; do it under NoGrad or on a detached tensor");
    }
  }
}

void start_tape() {
  static Tape* const tape = new Tape;  // never destroyed: it may be heard until the program's last operation
  install_tape(*tape);
}

}  // namespace espalier
