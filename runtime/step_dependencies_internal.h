#pragma once

#include <vector>

#include "runtime/plan.h"

namespace espalier::runtime {

/// Of each step, the earlier ones that it must wait for: those whose results it reads, and those that read or
/// wrote what it writes.
std::vector<std::vector<int>> dependencies_of(const Graph& graph, const std::vector<Step>& steps,
                                              const std::vector<Buffer>& buffers);

}  // namespace espalier::runtime
