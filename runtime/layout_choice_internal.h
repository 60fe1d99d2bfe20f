#pragma once

#include <cstdint>
#include <vector>

#include "runtime/image_layout_internal.h"

namespace espalier::runtime {

/// How a node is to read its images: inputs as bit sets.
struct NodeLayout {
  uint32_t channels_last = 0;  ///< row-major ones that it reads in channels-last memory
  uint32_t row_major = 0;      ///< channels-last ones that it reads row-major
  bool turned = false;         ///< its row-major outputs become channels-last with them
};

/// A layout for each node of the graph, by the rule of assign_layouts().
std::vector<NodeLayout> choose_layouts(const Graph& graph);

}  // namespace espalier::runtime
