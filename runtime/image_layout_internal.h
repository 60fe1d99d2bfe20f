#pragma once

#include <cstdint>

#include "runtime/graph.h"

namespace espalier::runtime {

/// How an image (axes N, C, H, W) lies in memory. `neither` stands for whatever else a value is, and for
/// images of one channel or one pixel, whose elements lie in the same order in either layout.
enum class ImageLayout : uint8_t { neither, row_major, channels_last };
ImageLayout image_layout(const Tensor& type);

/// How many inputs of a node may be read in another layout: the bits of a set of inputs.
inline constexpr int kMostLaidOutInputs = 32;

/// What becomes of a node's outputs where it reads images in another layout.
enum class LayoutEffect : uint8_t {
  none,     ///< they lie as before
  turned,   ///< the row-major ones among them become channels-last, the others lie as before
  refused,  ///< anything else
};

/// `channels_last` and `row_major` are the inputs, images of the other layout, that are read so.
LayoutEffect effect_of_layouts(const Graph& graph, const Node& node, uint32_t channels_last,
                               uint32_t row_major);

}  // namespace espalier::runtime
