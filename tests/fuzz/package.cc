// Any bytes are either refused with a FormatError or give a graph that can be planned and run.

#include "runtime/package.h"

#include <cstdint>

#include "core/error.h"
#include "tests/fuzz/small_graph.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  espalier::runtime::Graph graph;
  try {
    graph = espalier::runtime::parse_package({data, size}).graph;
  } catch (const espalier::FormatError&) {
    return 0;
  }
  run_if_small(graph);
  return 0;
}
