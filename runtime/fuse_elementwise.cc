#include <algorithm>
#include <iterator>
#include <limits>
#include <memory>
#include <vector>

#include "ops/fused_elementwise.h"
#include "runtime/passes.h"
#include "runtime/rewriter.h"

namespace espalier::runtime {
namespace {

/// The last position in an order of nodes, as what the graph puts out stands to all of them.
constexpr int kAfterAll = std::numeric_limits<int>::max();

/// Nodes that can become one, and what stands in the way of others.
class ElementwiseGroups {
 public:
  explicit ElementwiseGroups(const Graph& graph)
      : graph_(graph), readers_(graph.values().size()), group_of_(graph.nodes().size(), -1) {
    for (size_t i = 0; i < graph.nodes().size(); ++i) {
      for (const ValueId id : graph.nodes()[i].inputs) read(id, static_cast<int>(i));
    }
    for (const ValueId id : graph.outputs()) read(id, kAfterAll);
    for (const StateUpdate& update : graph.updates()) read(update.value, kAfterAll);
    for (const StateUpdate& gradient : graph.gradients()) read(gradient.value, kAfterAll);
    for (size_t i = 0; i < graph.nodes().size(); ++i) add(static_cast<int>(i));
  }

  /// The nodes of the group that ends with this one, in their order; empty where none does, or it is alone.
  std::vector<int> ending_with(int node) const {
    const int group = group_of_[static_cast<size_t>(node)];
    if (group < 0) return {};
    const std::vector<int>& members = groups_[static_cast<size_t>(group)];
    return members.size() > 1 && members.back() == node ? members : std::vector<int>();
  }
  bool grouped(int node) const {
    const int group = group_of_[static_cast<size_t>(node)];
    return group >= 0 && groups_[static_cast<size_t>(group)].size() > 1;
  }
  /// What a node outside reads of these members.
  std::vector<ValueId> results(const std::vector<int>& members) const {
    std::vector<ValueId> results;
    for (const int member : members) {
      const ValueId id = output(member);
      const std::vector<int>& readers = readers_[static_cast<size_t>(id)];
      const bool outside = std::any_of(readers.begin(), readers.end(), [&](int reader) {
        return !std::binary_search(members.begin(), members.end(), reader);
      });
      if (outside) results.push_back(id);
    }
    return results;
  }
  /// What these members read of nodes outside.
  std::vector<ValueId> inputs(const std::vector<int>& members) const {
    std::vector<ValueId> inputs;
    for (const int member : members) {
      for (const ValueId id : graph_.nodes()[static_cast<size_t>(member)].inputs) {
        const bool inside = std::binary_search(members.begin(), members.end(), graph_.value(id).node);
        if (!inside && std::find(inputs.begin(), inputs.end(), id) == inputs.end()) inputs.push_back(id);
      }
    }
    return inputs;
  }

 private:
  void read(ValueId id, int node) {
    if (id != kAbsent) readers_[static_cast<size_t>(id)].push_back(node);
  }
  ValueId output(int node) const { return graph_.nodes()[static_cast<size_t>(node)].outputs[0]; }
  const Tensor& type(int node) const { return graph_.value(output(node)).type; }

  bool can_be_link(int node) const {
    const Node& one = graph_.nodes()[static_cast<size_t>(node)];
    return one.marks == NodeMarks() && FusedElementwise::takes(*one.operation) &&
           std::none_of(one.inputs.begin(), one.inputs.end(), [&](ValueId id) { return id == kAbsent; });
  }

  /// A group of its own for a node, joined with those of the nodes that it reads where that may be.
  void add(int node) {
    if (!can_be_link(node)) return;
    group_of_[static_cast<size_t>(node)] = static_cast<int>(groups_.size());
    groups_.push_back({node});
    for (const ValueId id : graph_.nodes()[static_cast<size_t>(node)].inputs) {
      const int from = graph_.value(id).node;
      if (from >= 0 && group_of_[static_cast<size_t>(from)] >= 0) join(from, node);
    }
  }

  void join(int from, int to) {
    const int other = group_of_[static_cast<size_t>(from)], own = group_of_[static_cast<size_t>(to)];
    if (other == own || type(from).shape() != type(to).shape() || type(from).strides() != type(to).strides())
      return;
    std::vector<int> joined;
    std::merge(groups_[static_cast<size_t>(other)].begin(), groups_[static_cast<size_t>(other)].end(),
               groups_[static_cast<size_t>(own)].begin(), groups_[static_cast<size_t>(own)].end(),
               std::back_inserter(joined));
    if (!may_be_one(joined)) return;
    for (const int member : joined) group_of_[static_cast<size_t>(member)] = own;
    groups_[static_cast<size_t>(other)].clear();
    groups_[static_cast<size_t>(own)] = std::move(joined);
  }

  /// Whether these can run when the last of them does: nobody outside reads one before, or changes in the
  /// meantime what one reads, of which a plan would have to keep a copy.
  bool may_be_one(const std::vector<int>& members) const {
    const size_t put_out = results(members).size();
    if (members.size() > FusedElementwise::kMaxLinks ||
        inputs(members).size() > FusedElementwise::kMaxInputs || put_out < 1 ||
        put_out > FusedElementwise::kMaxResults)
      return false;
    const auto stands_in_the_way = [&](int reader) {
      return reader < members.back() && !std::binary_search(members.begin(), members.end(), reader);
    };
    for (const int member : members) {
      const std::vector<int>& readers = readers_[static_cast<size_t>(output(member))];
      if (std::any_of(readers.begin(), readers.end(), stands_in_the_way)) return false;
      for (const ValueId id : graph_.nodes()[static_cast<size_t>(member)].inputs) {
        for (const int reader : readers_[static_cast<size_t>(id)]) {
          if (reader > member && stands_in_the_way(reader) && updates(reader, id)) return false;
        }
      }
    }
    return true;
  }
  bool updates(int node, ValueId id) const {
    const Node& one = graph_.nodes()[static_cast<size_t>(node)];
    return std::any_of(one.outputs.begin(), one.outputs.end(), [&](ValueId output) {
      const Value& value = graph_.value(output);
      return value.kind == OutputSpec::Kind::update && one.inputs[static_cast<size_t>(value.source)] == id;
    });
  }

  const Graph& graph_;
  std::vector<std::vector<int>> readers_;  ///< of each value, by position
  std::vector<int> group_of_;              ///< of each node; -1: it can be in none
  std::vector<std::vector<int>> groups_;   ///< the members of each, in their order
};

}  // namespace

Graph fuse_elementwise(const Graph& graph) {
  const ElementwiseGroups groups(graph);
  Rewriter rewriter(graph);
  for (int i = 0; i < static_cast<int>(graph.nodes().size()); ++i) {
    const std::vector<int> members = groups.ending_with(i);
    if (members.empty()) {
      if (!groups.grouped(i)) rewriter.keep(graph.nodes()[static_cast<size_t>(i)]);
      continue;
    }
    const std::vector<ValueId> inputs = groups.inputs(members), results = groups.results(members);
    std::vector<FusedElementwise::Link> links;
    std::vector<int64_t> put_out;
    for (const int member : members) {
      const Node& node = graph.nodes()[static_cast<size_t>(member)];
      FusedElementwise::Link link{.operation = node.operation, .operands = {}};
      for (const ValueId id : node.inputs) {
        const auto input = std::find(inputs.begin(), inputs.end(), id);
        const int made_by = graph.value(id).node;
        link.operands.push_back(
            input != inputs.end()
                ? static_cast<int>(input - inputs.begin())
                : ~static_cast<int>(std::lower_bound(members.begin(), members.end(), made_by) -
                                    members.begin()));
      }
      if (std::find(results.begin(), results.end(), node.outputs[0]) != results.end())
        put_out.push_back(std::ssize(links));
      links.push_back(std::move(link));
    }
    std::vector<ValueId> now;
    for (const ValueId id : inputs) now.push_back(rewriter.now(id));
    const ValueIds made =
        rewriter.to().add(std::make_shared<FusedElementwise>(std::move(links), std::move(put_out)), now);
    for (size_t r = 0; r < results.size(); ++r) rewriter.replace(results[r], made[r]);
  }
  return rewriter.finish();
}

}  // namespace espalier::runtime
