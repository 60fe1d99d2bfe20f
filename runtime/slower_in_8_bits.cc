#include <algorithm>
#include <functional>
#include <optional>
#include <vector>

#include "core/parallel.h"
#include "runtime/quantizable_internal.h"
#include "runtime/quantize.h"
#include "runtime/time_kernels_internal.h"

namespace espalier::runtime {
namespace {

/// A tensor on the CPU, but without elements unless the value is a constant.
Tensor as_planned(const Value& value) {
  if (value.origin == Value::Origin::constant) return value.tensor;
  const Tensor& type = value.type;
  const auto storage = make_ref<Storage>(static_cast<void*>(nullptr), type.body().storage->bytes(), kCpu,
                                         std::function<void()>());
  return Tensor(make_ref<TensorBody>(storage, type.dtype(), type.shape(), type.strides(), type.offset()));
}

/// How long a node takes by `choices`, in seconds; 0 for a view, and for what cannot be timed.
double seconds_of(const Graph& graph, const Node& node, KernelChoices& choices) {
  Tensors inputs, outputs;
  uint32_t constants = 0;
  for (const ValueId id : node.inputs) {
    const auto i = inputs.size();
    inputs.push_back(id == kAbsent ? Tensor() : as_planned(graph.value(id)));
    if (i < 32 && id != kAbsent && graph.value(id).origin == Value::Origin::constant) constants |= 1u << i;
  }
  bool computes = false;
  for (const ValueId id : node.outputs) {
    const Value& value = graph.value(id);
    outputs.push_back(value.kind == OutputSpec::Kind::update ? inputs[static_cast<size_t>(value.source)]
                                                             : as_planned(value));
    computes |= value.kind != OutputSpec::Kind::view;
  }
  if (!computes) return 0;
  const auto on = [&](int threads) {
    const ThreadCountGuard guard(threads);
    return kernel_seconds(*node.operation, inputs, outputs, constants, choices).value_or(0);
  };
  return std::min(on(1), on(num_threads()));
}

double seconds_of(const Graph& graph, KernelChoices& choices) {
  double seconds = 0;
  for (const Node& node : graph.nodes()) seconds += seconds_of(graph, node, choices);
  return seconds;
}

}  // namespace

std::vector<ValueId> slower_in_8_bits(const Graph& graph, const Quantizations& quantizations,
                                      KernelChoices& choices) {
  std::vector<ValueId> layers;
  for (const Node& node : graph.nodes()) {
    if (const auto layer = quantizable_layer(graph, node)) layers.push_back(layer->y);
  }
  std::vector<ValueId> in_f32;
  double best = seconds_of(quantize(graph, quantizations), choices);
  for (bool gained = true; gained;) {
    gained = false;
    for (const ValueId layer : layers) {
      if (std::find(in_f32.begin(), in_f32.end(), layer) != in_f32.end()) continue;
      in_f32.push_back(layer);
      const double seconds = seconds_of(quantize(graph, quantizations, in_f32), choices);
      if (seconds < best) {
        best = seconds;
        gained = true;
      } else {
        in_f32.pop_back();
      }
    }
  }
  return best < seconds_of(graph, choices) ? in_f32 : layers;
}

}  // namespace espalier::runtime
