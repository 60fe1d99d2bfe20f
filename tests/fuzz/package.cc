// Any bytes are either refused with a FormatError or give a graph that can be planned and run.

#include "runtime/package.h"

#include <cstdint>
#include <cstring>

#include "core/create.h"
#include "core/error.h"
#include "runtime/runner.h"

namespace {

using espalier::runtime::Graph;
using espalier::runtime::Value;

/// Larger graphs are right to take time and memory.
constexpr std::int64_t kMostElements = 1 << 16;

bool is_small(const Graph& graph) {
  std::int64_t elements = 0;
  for (const Value& value : graph.values()) {
    if (value.type.numel() > kMostElements) return false;
    elements += value.type.numel();
  }
  return elements <= kMostElements && graph.nodes().size() <= 64;
}

void run(const Graph& graph) {
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

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  Graph graph;
  try {
    graph = espalier::runtime::parse_package({data, size}).graph;
  } catch (const espalier::FormatError&) {
    return 0;
  }
  try {
    if (is_small(graph)) run(graph);
  } catch (const espalier::Error&) {  // a kernel may refuse elements: an index outside a table, say
    return 0;
  }
  return 0;
}
