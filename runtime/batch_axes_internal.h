#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "runtime/graph.h"

namespace espalier::runtime {

/// Whether a graph computes each example of a batch by itself, so that a part of the batch gives a part of
/// the results.
struct BatchAxes {
  /// Why that is not known, with the node or value; empty where it is.
  std::string refusal;
  /// Of each output, how many indices of axis 0 belong to an example. The examples stand one behind the
  /// other.
  std::vector<int64_t> rows;
};

/// `whole` and `part` are one computation for two numbers of examples, the second less than the first, before
/// any pass; the inputs `batched`, by number, have the examples along axis 0. Other inputs and the states are
/// the same for all parts.
///
/// The proof goes node by node: a value is the same for each part, or has each example at one place along one
/// axis. A node keeps that where its operation ties this axis of all its inputs that have one, and no other,
/// to an axis of the output along which elements do not depend on each other (AxisTie), and has the same
/// attributes in both graphs; of what sizes stand in, only reshapes and expansions are understood.
BatchAxes find_batch_axes(const Graph& whole, const Graph& part, std::span<const int> batched);

}  // namespace espalier::runtime
