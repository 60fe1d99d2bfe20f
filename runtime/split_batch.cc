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
#include "runtime/batch_rules_internal.h"
#include "runtime/capture.h"

namespace espalier::runtime {
namespace {

constexpr std::string_view kSplitting = "split_batch";

enum class Held : uint8_t {
  whole,   ///< the same for all examples
  parts,   ///< examples along the first axis
  hidden,  ///< examples along another one
  sums,    ///< of examples: the parts' are to be added up
};

/// What each value holds, and which nodes work on parts.
class BatchMap {
 public:
  BatchMap(const Graph& graph, int parts) : graph_(graph), held_(graph.values().size(), Held::whole) {
    find_batch(parts);
    for (const Node& node : graph.nodes()) {
      if (!obstacle_.empty()) return;
      rules_.push_back(rule_of(node));
    }
    if (obstacle_.empty() && std::none_of(rules_.begin(), rules_.end(), [](const auto& r) { return !!r; }))
      obstacle_ = "no node reads the batch";
    for (const ValueId id : graph.outputs()) {
      if (held(id) == Held::hidden)
        obstacle_ = graph.name_of(id) + " is put out, and has no axis of examples";
    }
  }

  const std::string& obstacle() const noexcept { return obstacle_; }
  int64_t batch() const noexcept { return batch_; }
  Held held(ValueId id) const { return held_[static_cast<size_t>(id)]; }
  /// Absent for a node that works on what is the same for all examples.
  const std::optional<BatchRule>& rule(size_t node) const { return rules_[node]; }
  Tensors types_of(const Node& node) const {
    Tensors types;
    for (const ValueId id : node.inputs) types.push_back(id == kAbsent ? Tensor() : graph_.value(id).type);
    return types;
  }

 private:
  void find_batch(int parts) {
    if (graph_.inputs().empty() || type(graph_.inputs()[0]).rank() == 0) {
      obstacle_ = "the graph has no input with an axis of examples";
      return;
    }
    batch_ = type(graph_.inputs()[0]).shape()[0];
    if (parts < 2 || parts > batch_)
      obstacle_ = std::to_string(parts) + " parts of " + std::to_string(batch_) +
                  " examples; expected 2 to as many as there are examples";
    for (const ValueId id : graph_.inputs()) {
      const bool gradient = graph_.value(id).name.ends_with(kGradientSuffix);
      if (!gradient && type(id).rank() > 0 && type(id).shape()[0] == batch_) set(id, Held::parts);
    }
  }

  std::optional<BatchRule> rule_of(const Node& node) {
    uint32_t held = 0, hidden = 0;
    for (size_t i = 0; i < node.inputs.size(); ++i) {
      if (node.inputs[i] == kAbsent) continue;
      const Held what = this->held(node.inputs[i]);
      if (what == Held::parts || what == Held::hidden) held |= 1u << std::min<size_t>(i, 31);
      if (what == Held::hidden) hidden |= 1u << std::min<size_t>(i, 31);
    }
    if (held == 0) return {};
    const auto rule = batch_rule(*node.operation, types_of(node), held, batch_);
    const bool updates = std::any_of(node.outputs.begin(), node.outputs.end(), [&](ValueId id) {
      return graph_.value(id).kind == OutputSpec::Kind::update;
    });
    if (!rule || updates || (hidden & ~rule->unhides) != 0) {
      obstacle_ = graph_.name_of(node.outputs[0]) + " = " + std::string(node.operation->name()) +
                  " may depend on several examples at once";
      return {};
    }
    for (size_t i = 0; i < node.outputs.size(); ++i) {
      const bool sum = rule->sums >> i & 1, hides = rule->hidden >> i & 1;
      set(node.outputs[i], sum ? Held::sums : hides ? Held::hidden : Held::parts);
    }
    return rule;
  }

  const Tensor& type(ValueId id) const { return graph_.value(id).type; }
  void set(ValueId id, Held held) { held_[static_cast<size_t>(id)] = held; }

  const Graph& graph_;
  int64_t batch_ = 0;
  std::string obstacle_;
  std::vector<Held> held_;
  std::vector<std::optional<BatchRule>> rules_;
};

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
      const bool along =
          (rule.examples >> std::min<size_t>(i, 31) & 1) != 0 && goes_along(*node.operation, types, i, batch);
      inputs.push_back(along || is_apart(node.inputs[i]) ? in_part(node.inputs[i], part)
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

  bool is_apart(ValueId id) const {
    return id != kAbsent && (map_.held(id) == Held::parts || map_.held(id) == Held::hidden);
  }
  size_t first_held(const Node& node) const {
    for (size_t i = 0;; ++i) {
      if (is_apart(node.inputs[i]) && map_.held(node.inputs[i]) == Held::parts) return i;
    }
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
