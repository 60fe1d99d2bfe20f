#pragma once

#include <string>

#include "runtime/graph.h"

namespace espalier::runtime {

/// The graph with its batch cut into `parts`, the first ones larger by an example where it does not come out
/// even: what goes example by example is done for each part on its own, by nodes that bear its number
/// (NodeMarks::part), and a plan runs the parts side by side, each on one thread from the first layer to the
/// last gradient. So no thread waits for another between layers, and each finds in its own cache what it
/// reads. Weight gradients and other sums over the batch are added up from the parts: results move by the
/// rounding of sums. (Data parallelism; J. Dean et al., "Large Scale Distributed Deep Networks", 2012, within
/// a process and synchronous.)
///
/// The batch is the first axis of the first input; inputs whose first axis is as long are cut with it, others
/// and all states are the same for every example. Throws ValueError for what why_not_split() says.
ESPALIER_API Graph split_batch(const Graph& graph, int parts);

/// What keeps split_batch() from it: a node that mixes examples (a batch norm in training) or draws random
/// numbers, fewer examples than parts. Empty where nothing does.
ESPALIER_API std::string why_not_split(const Graph& graph, int parts);

/// The graph split into as many parts as there are threads where that is estimated to make a run of it
/// faster, as it is: for training steps of networks with many layers and small weights, beside what passes
/// from layer to layer. A graph that changes no state, or cannot be split, stays as it is.
ESPALIER_API Graph split_where_it_pays(Graph graph, int threads);

}  // namespace espalier::runtime
