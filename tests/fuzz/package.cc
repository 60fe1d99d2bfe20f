// Any bytes are either refused with a FormatError or give graphs that can be planned and run.

#include "runtime/package.h"

#include <cstdint>
#include <optional>

#include "core/error.h"
#include "tests/fuzz/small_graph.h"

namespace {

/// Runs the graph at sizes that none of the corners has.
void run_beside_corners(const espalier::runtime::GraphFamily& graphs) {
  espalier::runtime::Sizes sizes = graphs.example_sizes();
  for (auto& [name, size] : sizes) ++size;
  try {
    run_if_small(graphs.at(sizes));
  } catch (const espalier::Error&) {
    return;  // numbers that are not whole there, or that an operation does not take
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::optional<espalier::runtime::GraphFamily> graphs;
  try {
    graphs = espalier::runtime::parse_package({data, size}).graphs;
  } catch (const espalier::FormatError&) {
    return 0;
  }
  for (const espalier::runtime::Graph& graph : graphs->corners()) run_if_small(graph);
  if (!graphs->axes().empty()) run_beside_corners(*graphs);
  return 0;
}
