#include "runtime/split_batch.h"

#include <algorithm>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "core/error.h"
#include "core/tensor.h"
#include "ops/add.h"
#include "ops/cast.h"
#include "ops/concat.h"
#include "ops/cross_entropy.h"
#include "ops/divide.h"
#include "ops/multiply.h"
#include "ops/slice.h"
#include "runtime/batch_map_internal.h"

namespace espalier::runtime {
namespace {

constexpr std::string_view kSplitting = "split_batch";

/// Builds the graph with parts from one without.
class BatchSplitter {
 public:
  BatchSplitter(const Graph& from, const BatchMap& map, int parts)
      : from_(from),
        map_(map),
        parts_(parts),
        now_(from.values().size(), kAbsent),
        of_part_(from.values().size()) {}

  Graph run() {
    for (const ValueId id : from_.inputs())
      set(id, to_.add_input(from_.value(id).name, from_.value(id).type));
    for (const ValueId id : from_.states())
      set(id, to_.add_state(from_.value(id).name, from_.value(id).tensor));
    const std::vector<bool> early = needed_by_parts();
    for (size_t i = 0; i < from_.nodes().size(); ++i) {
      if (!map_.rule(i) && !early[i]) continue;
      if (reads_results(i)) end_block();
      if (map_.rule(i))
        block_.push_back(i);
      else
        add_whole(i);
    }
    end_block();
    for (size_t i = 0; i < from_.nodes().size(); ++i) {
      if (!map_.rule(i) && !early[i]) add_whole(i);
    }
    return finish();
  }

 private:
  /// Of each node that works on no parts, whether one that does needs it. The others come last, so that they
  /// do not part the parts.
  std::vector<bool> needed_by_parts() const {
    const std::vector<Node>& nodes = from_.nodes();
    std::vector<bool> needed(nodes.size());
    for (size_t i = nodes.size(); i-- > 0;) {
      if (!map_.rule(i) && !needed[i]) continue;
      for (const ValueId id : nodes[i].inputs) {
        if (id != kAbsent && from_.value(id).node >= 0)
          needed[static_cast<size_t>(from_.value(id).node)] = true;
      }
    }
    return needed;
  }

  int64_t first_of(int part) const {
    const int64_t all = map_.batch();
    return all / parts_ * part + std::min<int64_t>(part, all % parts_);
  }
  int64_t size_of_part(int part) const { return first_of(part + 1) - first_of(part); }
  double share_of(int part) const {
    return static_cast<double>(size_of_part(part)) / static_cast<double>(map_.batch());
  }

  /// Nodes of parts so far without a node between them that works on none: one part after the other, so that
  /// a thread that has several ends one before it begins the next.
  void end_block() {
    for (int part = 0; part < parts_; ++part) {
      for (const size_t node : block_) add_part(node, part);
    }
    block_.clear();
  }

  /// Whether the node reads what the parts make together.
  bool reads_results(size_t index) const {
    const ValueIds& inputs = from_.nodes()[index].inputs;
    return std::any_of(inputs.begin(), inputs.end(),
                       [&](ValueId id) { return id != kAbsent && map_.held(id) == Held::sums; });
  }

  void add_whole(size_t index) {
    const Node& node = from_.nodes()[index];
    std::vector<ValueId> inputs;
    for (const ValueId id : node.inputs) inputs.push_back(whole(id));
    const ValueIds made = to_.add(node.operation, inputs, node.marks);
    for (size_t i = 0; i < made.size(); ++i) set(node.outputs[i], made[i]);
  }

  void add_part(size_t index, int part) {
    const Node& node = from_.nodes()[index];
    const BatchRule& rule = *map_.rule(index);
    const Tensors types = map_.types_of(node);
    const Tensor& batch = types[first_held(node)];
    std::vector<ValueId> inputs;
    for (size_t i = 0; i < node.inputs.size(); ++i) {
      const bool along = (rule.examples & input_bit(i)) != 0 && goes_along(*node.operation, types, i, batch);
      inputs.push_back(along || map_.is_apart(node.inputs[i]) ? in_part(node.inputs[i], part)
                                                              : whole(node.inputs[i]));
    }
    if (rule.mean_gradient) inputs[0] = scaled(inputs[0], share_of(part), part);
    const NodeMarks marks{.again = node.marks.again, .part = part};
    auto operation = for_part(node.operation, node.inputs.size(), map_.batch(), size_of_part(part));
    if (rule.mean == BatchRule::Mean::weighted) operation = summing(*operation);
    const ValueIds made = to_.add(operation, inputs, marks);
    for (size_t i = 0; i < made.size(); ++i) of_part(node.outputs[i]).push_back(made[i]);
    if (rule.mean == BatchRule::Mean::plain)
      of_part(node.outputs[0]).back() = scaled(made[0], share_of(part), part);
    if (rule.mean == BatchRule::Mean::weighted) divisor_of_[node.outputs[0]] = node.outputs[2];
  }

  /// Cross-entropy whose terms are added up instead of averaged.
  static std::shared_ptr<const Operation> summing(const Operation& operation) {
    CrossEntropyRule rule = static_cast<const CrossEntropy&>(operation).rule();
    rule.reduction = LossReduction::sum;
    return std::make_shared<CrossEntropy>(rule);
  }

  ValueId scaled(ValueId value, double factor, int part) {
    const ValueId number = to_.add_constant(full({}, factor, to_.value(value).type.dtype()));
    const ValueId inputs[] = {value, number};
    return to_.add(std::make_shared<Multiply>(), inputs, {.part = part})[0];
  }

  /// The first input with examples along its first axis, which each node of a part has.
  size_t first_held(const Node& node) const {
    size_t i = 0;
    while (node.inputs[i] == kAbsent || map_.held(node.inputs[i]) != Held::parts) ++i;
    return i;
  }

  /// What a part of the batch is of an old value that has examples along its first axis.
  ValueId in_part(ValueId old, int part) {
    ValueIds& known = of_part(old);
    if (known.size() > static_cast<size_t>(part)) return known[static_cast<size_t>(part)];
    const int64_t places = from_.value(old).type.shape()[0] / map_.batch();
    while (known.size() <= static_cast<size_t>(part)) {
      const int next = static_cast<int>(known.size());
      const Range range{.start = first_of(next) * places, .stop = first_of(next + 1) * places};
      const ValueId all = whole(old);
      known.push_back(
          to_.add(std::make_shared<Slice>(std::span(&range, 1)), std::span(&all, 1), {.part = next})[0]);
    }
    return known[static_cast<size_t>(part)];
  }

  /// An old value, put together from its parts where it has any.
  ValueId whole(ValueId old) {
    if (old == kAbsent) return kAbsent;
    ValueId& known = now_[static_cast<size_t>(old)];
    if (known != kAbsent) return known;
    const Value& value = from_.value(old);
    if (value.origin == Value::Origin::constant) return known = to_.add_constant(value.tensor);
    const ValueIds parts = of_part(old);
    if (map_.held(old) == Held::parts) return known = to_.add(std::make_shared<Concat>(0), parts)[0];
    ValueId sum = parts[0];
    for (size_t i = 1; i < parts.size(); ++i) sum = add(Add(), {sum, parts[i]});
    if (const auto divisor = divisor_of_.find(old); divisor != divisor_of_.end())
      sum = add(Divide(), {sum, add(Cast(value.type.dtype()), {whole(divisor->second)})});
    return now_[static_cast<size_t>(old)] = sum;
  }

  ValueId add(const Operation& operation, std::initializer_list<ValueId> inputs) {
    return to_.add(operation, std::span(inputs.begin(), inputs.size()))[0];
  }

  Graph finish() {
    std::vector<ValueId> outputs;
    for (const ValueId id : from_.outputs()) outputs.push_back(whole(id));
    for (const StateUpdate& update : from_.updates())
      to_.update_state(whole(update.state), whole(update.value));
    for (const StateUpdate& gradient : from_.gradients())
      to_.set_gradient(whole(gradient.state), whole(gradient.value));
    to_.set_outputs(std::move(outputs));
    return std::move(to_);
  }

  void set(ValueId old, ValueId now) { now_[static_cast<size_t>(old)] = now; }
  ValueIds& of_part(ValueId old) { return of_part_[static_cast<size_t>(old)]; }

  const Graph& from_;
  const BatchMap& map_;
  int parts_;
  Graph to_;
  std::vector<ValueId> now_;
  std::vector<ValueIds> of_part_;
  std::vector<size_t> block_;
  std::map<ValueId, ValueId> divisor_of_;  ///< of a weighted mean
};

}  // namespace

std::string why_not_split(const Graph& graph, int parts) {
  return BatchMap(graph, parts).obstacle();
}

Graph split_batch(const Graph& graph, int parts) {
  const BatchMap map(graph, parts);
  if (!map.obstacle().empty()) throw ValueError(kSplitting, map.obstacle());
  return BatchSplitter(graph, map, parts).run();
}

}  // namespace espalier::runtime
