#pragma once

#include <map>
#include <span>
#include <vector>

#include "ops/quantize.h"
#include "runtime/graph.h"

namespace espalier::runtime {

class KernelChoices;

/// How values of a graph become 8-bit integers, by their numbers in it.
using Quantizations = std::map<ValueId, Quantization>;

/// The values that quantize() can use the quantisation of: what convolutions without groups and linear layers
/// with constant f32 weights read, add as a residual, and put out, alone or fused (fuse_epilogues). In rising
/// order.
ESPALIER_API std::vector<ValueId> quantizable_values(const Graph& graph);

/// Runs the graph on batches, each a list of its inputs, and quantises each of these values for the range
/// from the least to the largest number that it held. Other ways to choose ranges make a Quantizations of
/// their own.
///
/// Throws ValueError where there are no batches, nothing to quantise, or a value that is not finite or has no
/// elements, and for graphs that change states; what Runner::run() throws.
ESPALIER_API Quantizations calibrate(const Graph& graph, std::span<const std::vector<Tensor>> batches);

/// The graph with its convolutions and linear layers on 8-bit integers (int8_conv2d, int8_linear), where
/// `quantizations` has what they read; a layer whose input is left out stays as it is. Weights become i8 with
/// a scale for each output channel, its largest number divided by 127. Means over the pixels of images read 8
/// bits (int8_global_avg_pool2d). What stands in `quantizations` too and
/// is read by these, directly or through slices, paddings with 0, max_pool2d and changes of shape, is put out
/// in 8 bits, for all of its readers; everything else stays f32. No pass, since the result is another model.
/// Call it on a graph that is frozen and optimised:
///
///   Graph graph = optimise(freeze(capture(model, {image}, State(model))));
///   graph = quantize(graph, calibrate(graph, batches));
///
/// Layers that put out a value of `in_f32` stay as they are, be it all of them, as do convolutions with
/// groups: these multiply too little by each number that they read for bytes to pay.
///
/// Throws ValueError where no layer can be quantised, for numbers that are no f32 values of the graph, for
/// quantisations that u8 does not hold, and weights that are not finite.
ESPALIER_API Graph quantize(const Graph& graph, const Quantizations& quantizations,
                            std::span<const ValueId> in_f32 = {});

/// What the layers put out that are not faster in 8 bits, as quantize() takes it: one layer after the other
/// is left in f32 where the whole graph, conversions included, then takes less time, until none is. All are
/// where the graph is no faster than in f32. Times are those of `choices`, on one thread or on num_threads(),
/// whichever is shorter; what is missing is timed and added, so that the same file gives the same answer.
/// Throws what quantize() throws.
ESPALIER_API std::vector<ValueId> slower_in_8_bits(const Graph& graph, const Quantizations& quantizations,
                                                   KernelChoices& choices);

}  // namespace espalier::runtime
