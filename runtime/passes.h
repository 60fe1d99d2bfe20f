#pragma once

#include <span>
#include <string_view>

#include "runtime/equality.h"
#include "runtime/graph.h"

namespace espalier::runtime {

/// An improvement of graphs: what comes out computes the same as what goes in, whichever passes ran before.
struct Pass {
  std::string_view name;
  std::string_view summary;  ///< what it does, in a line
  Graph (*run)(const Graph& graph);
  bool keeps_bits;  ///< else results may move by the rounding of sums
};

/// All passes, in the order in which optimise() runs them.
ESPALIER_API std::span<const Pass> passes();

/// The graph after all passes; for Equality::strict after those that keep the bits of all results.
ESPALIER_API Graph optimise(Graph graph, Equality equality = Equality::rounded);
/// The graph after some of them: in the order of passes(), whatever the order of `names`. Throws ValueError
/// for a name that no pass has.
ESPALIER_API Graph optimise(Graph graph, std::span<const std::string_view> names);

/// The graph with the states that it does not change as constants. They share the memory of the states: who
/// changes it afterwards must freeze anew. No pass, since the result is another model.
ESPALIER_API Graph freeze(const Graph& graph);
/// The same for some of its states.
ESPALIER_API Graph freeze(const Graph& graph, std::span<const ValueId> states);

/// Has images read in the layout for which there is the fastest code: channels-last by convolutions and
/// pooling, and by everything else that reads or makes other images so. Copies stand where the fewest bytes
/// go through them: one for all who read an image, before a pooling that makes it larger, none where an image
/// was copied from the wanted layout. Results and updated states keep their layouts. Sums may be taken in
/// another order, so that results move by their rounding.
ESPALIER_API Graph assign_layouts(const Graph& graph);
/// Computes now what depends on constants alone.
ESPALIER_API Graph fold_constants(const Graph& graph);
/// Takes a batch norm in evaluation into the weights of the convolution before it, where all of both are
/// constants. The new weights are computed in f64, so that outputs move by f32's rounding.
ESPALIER_API Graph fold_batch_norms(const Graph& graph);
/// Takes the addition of a residual and the activation behind a convolution, or a linear layer with constant
/// weights, into it (fused_conv2d, fused_linear).
ESPALIER_API Graph fuse_epilogues(const Graph& graph);
/// Leaves out what changes nothing (products with 1, sums with 0 that keep the sign of zeros, views of the
/// same layout, two negations) and takes cheaper operations where a number decides: a square is a product, a
/// division by a power of two is one, a maximum with 0 is a ReLU. Every number keeps its bits, -0 and
/// infinities included, NaN stays NaN: sums and products are never reordered.
ESPALIER_API Graph simplify(const Graph& graph);
/// Makes one operation, FusedElementwise, of elementwise ones, conversions of types among them, that read
/// each other's results, where these are of one shape and layout: what passes between them stays in the
/// cache. The same bits.
ESPALIER_API Graph fuse_elementwise(const Graph& graph);
/// Leaves out the nodes whose results nobody uses.
ESPALIER_API Graph remove_dead_nodes(const Graph& graph);
/// Leaves out copies that have the layout of what they copy: single assignment makes them pointless.
ESPALIER_API Graph remove_copies(const Graph& graph);
/// Computes once what is computed several times: the same operation with the same attributes on the same
/// values, but for nodes that compute it again to save memory.
ESPALIER_API Graph merge_common_subexpressions(const Graph& graph);

}  // namespace espalier::runtime
