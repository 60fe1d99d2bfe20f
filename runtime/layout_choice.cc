// Which node reads images in which layout. The cost that is kept low is the number of bytes that are copied
// between layouts; three measurements make this the right one (2 cores of an EPYC 9004, f32, microseconds):
//
// - A copy that stands in the graph costs what the kernel's own does. 3 x 3 convolutions with a
//   row-major image, and with a copy before them:
//     1 image,   3 to 16 channels, 32 x 32:   12.5 and 12.9      64 images:  383 and 382
//     1 image,  64 to 64 channels, 32 x 32:    129 and 129       16 images: 2615 and 2663
//   The gradients of filters and images the same. So a copy pays where two nodes share it, or where it can be
//   made of a smaller image.
// - A node that reads some images row-major and others channels-last gathers one of them, which takes longer
//   than a copy and the node on one layout together. 16 images, 64 channels, 32 x 32 (a copy: 103):
//     add 708 to 1257 for 190; relu_backward 320 to 737 for 93; batch_norm_backward 699 to 2653 for 293
// - Pooling has vectorised code for channels-last images alone. 64 images, 50 channels, 8 x 8 (a copy: 16):
//     max_pool2d 676 for 31; avg_pool2d 266 for 28, its gradient 302 for 31
//
// What else follows the layout of its images does so at the same speed, unless they have few channels, which
// make short inner loops (1 image, 224 x 224, 3 channels: batch_norm 9 row-major and 68 channels-last, a
// factor for each channel 7 and 155). Where nothing is to be gained, a node keeps its layout.

#include <algorithm>

#include "ops/copy.h"
#include "runtime/layout_choice_internal.h"
#include "runtime/readers_internal.h"

namespace espalier::runtime {
namespace {

/// Images of fewer channels are turned by no node but those that ask for it: a cache line of f32.
constexpr int64_t kLeastChannels = 16;

int64_t image_bytes(const Tensor& type) {
  return type.numel() * static_cast<int64_t>(size_of(type.dtype()));
}

class LayoutChoice {
 public:
  explicit LayoutChoice(const Graph& graph)
      : graph_(graph),
        layouts_(graph.nodes().size()),
        follows_(graph.nodes().size()),
        cost_(graph.values().size()),
        wanted_(graph.values().size()),
        kept_(graph.values().size()) {}

  std::vector<NodeLayout> run() && {
    // Constants cost nothing: their copies are constants as well.
    for (const ValueId id : graph_.inputs()) cost_[index(id)] = copy_bytes(id);
    for (const ValueId id : graph_.states()) cost_[index(id)] = copy_bytes(id);
    for (size_t i = 0; i < layouts_.size(); ++i) find_costs(i);
    for (const ValueId id : graph_.outputs()) kept_[index(id)] = true;
    for (const auto* list : {&graph_.updates(), &graph_.gradients()}) {
      for (const StateUpdate& update : *list) {
        if (update.value != kAbsent) kept_[index(update.value)] = true;
      }
    }
    for (const Node& node : graph_.nodes()) {
      for_inputs(node, ImageLayout::row_major, [&](size_t i, ValueId id) {
        if (node.operation->channels_last_inputs() >> i & 1u) wanted_[index(id)] = true;
      });
    }
    for (size_t i = layouts_.size(); i-- > 0;) choose(i);
    drop_lone_copies();
    return std::move(layouts_);
  }

 private:
  static size_t index(ValueId id) { return static_cast<size_t>(id); }
  const Tensor& type(ValueId id) const { return graph_.value(id).type; }
  ImageLayout layout(ValueId id) const {
    return id == kAbsent ? ImageLayout::neither : image_layout(type(id));
  }
  int64_t copy_bytes(ValueId id) const {
    return layout(id) == ImageLayout::row_major ? image_bytes(type(id)) : 0;
  }

  /// Calls `f(i, id)` for the node's inputs of this layout.
  template <class F>
  void for_inputs(const Node& node, ImageLayout wanted, const F& f) const {
    for (size_t i = 0; i < std::min(node.inputs.size(), size_t{kMostLaidOutInputs}); ++i) {
      if (layout(node.inputs[i]) == wanted) f(i, node.inputs[i]);
    }
  }
  template <class F>
  void for_row_major_outputs(const Node& node, const F& f) const {
    for (const ValueId id : node.outputs) {
      if (layout(id) == ImageLayout::row_major) f(id);
    }
  }
  uint32_t inputs_of(const Node& node, ImageLayout wanted) const {
    uint32_t bits = 0;
    for_inputs(node, wanted, [&](size_t i, ValueId) { bits |= 1u << i; });
    return bits;
  }

  void find_costs(size_t i);
  void choose(size_t i);
  void choose_of_copy(const Node& copy, NodeLayout& made);
  bool pays(const Node& node, uint32_t others) const;
  uint32_t read_with_others(const Node& node) const;
  uint32_t read_row_major(const Node& node) const;
  bool made_channels_last(ValueId id) const;
  void drop_lone_copies();

  const Graph& graph_;
  std::vector<NodeLayout> layouts_;
  std::vector<bool> follows_;  ///< by node: with channels-last inputs it puts out channels-last images
  std::vector<int64_t> cost_;  ///< by value: bytes to copy at least, to have it channels-last
  std::vector<bool> wanted_;   ///< by value: row-major, and somebody reads it channels-last
  std::vector<bool> kept_;     ///< by value: somebody reads it as it is
};

void LayoutChoice::find_costs(size_t i) {
  const Node& node = graph_.nodes()[i];
  for (const ValueId id : node.outputs) cost_[index(id)] = copy_bytes(id);
  const uint32_t row_major = inputs_of(node, ImageLayout::row_major);
  if (as<Copy>(node)) {
    // What it copies has the elements as well.
    const bool channels_last = layout(node.inputs[0]) == ImageLayout::channels_last;
    if (row_major || channels_last) cost_[index(node.outputs[0])] = cost_[index(node.inputs[0])];
  }
  bool any = false;
  for_row_major_outputs(node, [&](ValueId) { any = true; });
  follows_[i] = any && row_major && effect_of_layouts(graph_, node, row_major, 0) == LayoutEffect::turned;
  if (!follows_[i]) return;
  int64_t sum = 0;
  if (!(node.operation->channels_last_inputs() & row_major))
    for_inputs(node, ImageLayout::row_major, [&](size_t, ValueId id) { sum += cost_[index(id)]; });
  for_row_major_outputs(node, [&](ValueId id) {
    if (type(id).size(1) >= kLeastChannels) cost_[index(id)] = std::min(cost_[index(id)], sum);
  });
}

/// Whether it costs fewer bytes to turn the node than to copy what it puts out, and (`others`) the
/// channels-last images that it reads. Where it reads such, it is turned at equal costs as well: what follows
/// a convolution may then be fused into it.
bool LayoutChoice::pays(const Node& node, uint32_t others) const {
  int64_t saved = 0, cost = 0;
  bool wide = true;
  for_row_major_outputs(node, [&](ValueId id) {
    wide &= type(id).size(1) >= kLeastChannels;
    if (wanted_[index(id)]) saved += copy_bytes(id);
    if (kept_[index(id)]) cost += copy_bytes(id);
  });
  for_inputs(node, ImageLayout::row_major, [&](size_t, ValueId id) {
    if (!wanted_[index(id)]) cost += cost_[index(id)];
  });
  for_inputs(node, ImageLayout::channels_last, [&](size_t i, ValueId id) {
    if (others >> i & 1u) saved += image_bytes(type(id));
  });
  return wide && (others ? saved >= cost : saved > cost);
}

/// The row-major images that a node reads beside channels-last ones of the same shape, or makes such of them.
/// None of a node that makes no image of that shape: a loss adds up in the order of its first input, and
/// another order is another sum.
uint32_t LayoutChoice::read_with_others(const Node& node) const {
  uint32_t bits = 0;
  for_inputs(node, ImageLayout::row_major, [&](size_t i, ValueId id) {
    const auto of_the_shape = [&](ValueId output) { return type(output).shape() == type(id).shape(); };
    if (std::none_of(node.outputs.begin(), node.outputs.end(), of_the_shape)) return;
    const auto beside = [&](ValueId other) {
      return layout(other) == ImageLayout::channels_last && type(other).shape() == type(id).shape();
    };
    if (std::any_of(node.inputs.begin(), node.inputs.end(), beside) ||
        std::any_of(node.outputs.begin(), node.outputs.end(), beside))
      bits |= 1u << i;
  });
  return bits != 0 && effect_of_layouts(graph_, node, bits, 0) == LayoutEffect::none ? bits : 0;
}

/// The channels-last images of which a node makes row-major ones of the same shape.
uint32_t LayoutChoice::read_row_major(const Node& node) const {
  uint32_t bits = 0;
  for_inputs(node, ImageLayout::channels_last, [&](size_t i, ValueId id) {
    for_row_major_outputs(node, [&](ValueId output) {
      if (type(output).shape() == type(id).shape()) bits |= 1u << i;
    });
  });
  return bits != 0 && effect_of_layouts(graph_, node, 0, bits) == LayoutEffect::none ? bits : 0;
}

/// A copy is read as what it copies.
void LayoutChoice::choose_of_copy(const Node& copy, NodeLayout& made) {
  const size_t input = index(copy.inputs[0]), output = index(copy.outputs[0]);
  const bool channels_last = layout(copy.outputs[0]) == ImageLayout::channels_last;
  if (layout(copy.inputs[0]) != ImageLayout::row_major) return;
  made.channels_last = channels_last ? 1 : 0;
  if (channels_last || wanted_[output]) wanted_[input] = true;
  if (!channels_last && (kept_[output] || !wanted_[output])) kept_[input] = true;
}

void LayoutChoice::choose(size_t i) {
  const Node& node = graph_.nodes()[i];
  const uint32_t row_major = inputs_of(node, ImageLayout::row_major);
  const uint32_t asked = node.operation->channels_last_inputs() & row_major;
  NodeLayout& made = layouts_[i];
  if (as<Copy>(node)) return choose_of_copy(node, made);
  if (follows_[i]) {
    const uint32_t others = read_row_major(node);
    made.turned = asked || pays(node, others);
    if (made.turned)
      made.channels_last = row_major;
    else
      made.row_major = others;
  } else {
    made.channels_last = asked ? asked : read_with_others(node);
  }
  for_inputs(node, ImageLayout::row_major, [&](size_t input, ValueId id) {
    (made.channels_last >> input & 1u ? wanted_ : kept_)[index(id)] = true;
  });
}

/// Whether the row-major image is there in channels-last memory without a copy of its own.
bool LayoutChoice::made_channels_last(ValueId id) const {
  while (layout(id) == ImageLayout::row_major && graph_.value(id).node >= 0) {
    const auto number = static_cast<size_t>(graph_.value(id).node);
    if (!as<Copy>(graph_.nodes()[number])) return layouts_[number].turned;
    id = graph_.nodes()[number].inputs[0];
  }
  return layout(id) == ImageLayout::channels_last;
}

/// Who alone would read a copy, and whose kernel makes one as well, is left as it is.
void LayoutChoice::drop_lone_copies() {
  std::vector<int> readers(graph_.values().size());
  const auto for_bits = [&](size_t node, const auto& f) {
    for_inputs(graph_.nodes()[node], ImageLayout::row_major, [&](size_t i, ValueId id) {
      if (layouts_[node].channels_last >> i & 1u) f(i, id);
    });
  };
  for (size_t node = 0; node < layouts_.size(); ++node)
    for_bits(node, [&](size_t, ValueId id) { ++readers[index(id)]; });
  for (size_t node = 0; node < layouts_.size(); ++node) {
    if (layouts_[node].turned) continue;
    const uint32_t asked = graph_.nodes()[node].operation->channels_last_inputs();
    for_bits(node, [&](size_t i, ValueId id) {
      const bool alone = readers[index(id)] == 1 && !made_channels_last(id);
      if (alone && (asked >> i & 1u)) layouts_[node].channels_last &= ~(1u << i);
    });
  }
}

}  // namespace

std::vector<NodeLayout> choose_layouts(const Graph& graph) {
  return LayoutChoice(graph).run();
}

}  // namespace espalier::runtime
