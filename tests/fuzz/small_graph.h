#pragma once

#include <cstdint>
#include <cstring>
#include <memory>
#include <vector>

#include "core/create.h"
#include "core/error.h"
#include "runtime/runner.h"

/// Whether a graph may be run: larger ones are right to take time and memory.
inline bool is_small(const espalier::runtime::Graph& graph) {
  constexpr std::int64_t kMostElements = 1 << 16;
  std::int64_t elements = 0;
  for (const espalier::runtime::Value& value : graph.values()) {
    if (value.type.numel() > kMostElements) return false;
    elements += value.type.numel();
  }
  return elements <= kMostElements && graph.nodes().size() <= 64;
}

/// Plans a graph and runs it on zeros.
inline void run_on_zeros(const espalier::runtime::Graph& graph) {
  espalier::runtime::Runner runner(std::make_shared<const espalier::runtime::Plan>(graph));
  std::vector<espalier::Tensor> inputs;
  for (const espalier::runtime::ValueId id : graph.inputs()) {
    const espalier::Tensor& type = graph.value(id).type;
    inputs.push_back(espalier::empty_strided(type.shape(), type.strides(), type.dtype()));
    std::memset(inputs.back().raw_data(), 0,
                espalier::size_of(type.dtype()) * static_cast<std::size_t>(type.numel()));
  }
  runner.run(inputs);
}

/// Runs what was read.
inline void run_if_small(const espalier::runtime::Graph& graph) {
  try {
    if (is_small(graph)) run_on_zeros(graph);
  } catch (const espalier::Error&) {
    // A kernel may refuse elements: an index outside a table, say.
  }
}
