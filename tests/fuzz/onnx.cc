// Any bytes are either refused with a FormatError, for the lack of a size with a ValueError, or give a graph
// that can be planned and run.

#include "runtime/onnx.h"

#include <cstdint>

#include "core/error.h"
#include "tests/fuzz/small_graph.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  espalier::runtime::Graph graph;
  try {
    constexpr std::int64_t kMostComputed = 1 << 20;  // bytes: so that none takes long
    graph = espalier::runtime::parse_onnx({data, size}, {.batch = 2, .most_computed = kMostComputed});
  } catch (const espalier::FormatError&) {
    return 0;
  } catch (const espalier::ValueError&) {
    return 0;
  }
  run_if_small(graph);
  return 0;
}
