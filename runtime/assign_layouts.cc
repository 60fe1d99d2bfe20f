#include <algorithm>
#include <vector>

#include "ops/copy.h"
#include "runtime/layout_choice_internal.h"
#include "runtime/passes.h"
#include "runtime/readers_internal.h"
#include "runtime/rewriter.h"

namespace espalier::runtime {
namespace {

/// Builds the graph in which nodes read their images as chosen, with the copies that this takes: at most one
/// of a value, before the first node that reads it.
class LayoutAssignment {
 public:
  LayoutAssignment(const Graph& graph, const std::vector<NodeLayout>& layouts)
      : graph_(graph),
        layouts_(layouts),
        rewriter_(graph),
        there_(graph.values().size(), true),
        other_(graph.values().size(), kAbsent) {}

  Graph run() && {
    for (size_t i = 0; i < layouts_.size(); ++i) add(graph_.nodes()[i], layouts_[i]);
    for (const ValueId id : graph_.outputs()) as_it_was(id);
    for (const StateUpdate& update : graph_.updates()) as_it_was(update.value);
    for (const StateUpdate& gradient : graph_.gradients()) as_it_was(gradient.value);
    return rewriter_.finish();
  }

 private:
  static size_t index(ValueId id) { return static_cast<size_t>(id); }
  ValueId copied(ValueId now, Copy::Layout layout) {
    const ValueId inputs[] = {now};
    return rewriter_.to().add(Copy(layout), inputs)[0];
  }
  ImageLayout layout(ValueId old) const { return image_layout(graph_.value(old).type); }

  /// The value in the layout that it has in the old graph.
  ValueId as_it_was(ValueId old) {
    if (old != kAbsent && !there_[index(old)]) {
      rewriter_.replace(old, copied(other_[index(old)], Copy::Layout::contiguous));
      there_[index(old)] = true;
    }
    return rewriter_.now(old);
  }

  /// What a copy was made of, where that is an image in one of the layouts.
  ValueId original_of(ValueId old) const {
    const int number = graph_.value(old).node;
    if (number < 0) return kAbsent;
    const Node& node = graph_.nodes()[static_cast<size_t>(number)];
    return as<Copy>(node) && layout(node.inputs[0]) != ImageLayout::neither ? node.inputs[0] : kAbsent;
  }

  /// An image in either layout.
  ValueId laid_out_as(ValueId old, ImageLayout wanted) {
    while (layout(old) != wanted && original_of(old) != kAbsent) old = original_of(old);
    if (layout(old) == wanted) return as_it_was(old);
    ValueId& other = other_[index(old)];
    if (other == kAbsent) {
      other = copied(as_it_was(old), wanted == ImageLayout::channels_last ? Copy::Layout::channels_last
                                                                          : Copy::Layout::contiguous);
    }
    return other;
  }

  ValueId input(const Node& node, size_t i, const NodeLayout& chosen) {
    const ValueId old = node.inputs[i];
    const auto in = [&](uint32_t bits) { return i < kMostLaidOutInputs && (bits >> i & 1u); };
    if (in(chosen.channels_last)) return laid_out_as(old, ImageLayout::channels_last);
    if (in(chosen.row_major)) return laid_out_as(old, ImageLayout::row_major);
    return as_it_was(old);
  }

  void add(const Node& node, const NodeLayout& chosen) {
    if (as<Copy>(node) && chosen.channels_last != 0)
      return rewriter_.replace(node.outputs[0], input(node, 0, chosen));
    std::vector<ValueId> inputs;
    for (size_t i = 0; i < node.inputs.size(); ++i) inputs.push_back(input(node, i, chosen));
    const ValueIds made = rewriter_.to().add(node.operation, inputs, node.marks);
    for (size_t i = 0; i < made.size(); ++i) {
      const ValueId old = node.outputs[i];
      if (chosen.turned && layout(old) == ImageLayout::row_major) {
        other_[index(old)] = made[i];
        there_[index(old)] = false;
      } else {
        rewriter_.replace(old, made[i]);
      }
    }
  }

  const Graph& graph_;
  const std::vector<NodeLayout>& layouts_;
  Rewriter rewriter_;
  std::vector<bool> there_;     ///< by value: the new graph has it as it was
  std::vector<ValueId> other_;  ///< by value: it in the other layout, in the new graph
};

}  // namespace

Graph assign_layouts(const Graph& graph) {
  const std::vector<NodeLayout> layouts = choose_layouts(graph);
  const bool changes = std::any_of(layouts.begin(), layouts.end(), [](const NodeLayout& layout) {
    return layout.turned || layout.channels_last != 0 || layout.row_major != 0;
  });
  // Of copies that the graph had, some are read no more.
  return changes ? remove_dead_nodes(LayoutAssignment(graph, layouts).run()) : graph;
}

}  // namespace espalier::runtime
