#include "runtime/graph.h"

#include <algorithm>
#include <set>
#include <sstream>
#include <utility>

#include "core/door.h"
#include "core/error.h"

namespace espalier::runtime {
namespace {

constexpr std::string_view kWhere = "graph";

Tensor like_on_meta(const Tensor& tensor) {
  const Ref<Storage> storage = make_ref<Storage>(tensor.body().storage->bytes(), kMeta);
  return Tensor(
      make_ref<TensorBody>(storage, tensor.dtype(), tensor.shape(), tensor.strides(), tensor.offset()));
}

}  // namespace

std::string to_string(const NodeMarks& marks) {
  return std::string(marks.again ? ", again" : "") +
         (marks.part >= 0 ? ", part " + std::to_string(marks.part) : "");
}

ValueId Graph::add_value(Value value) {
  values_.push_back(std::move(value));
  return static_cast<ValueId>(values_.size() - 1);
}

ValueId Graph::add_input(std::string name, const Tensor& like) {
  check_defined(kWhere, like);
  const Strides strides =
      is_dense(like.shape(), like.strides()) ? like.strides() : contiguous_strides(like.shape());
  const ValueId id = add_value({.origin = Value::Origin::input,
                                .name = std::move(name),
                                .type = empty_strided(like.shape(), strides, like.dtype(), kMeta)});
  inputs_.push_back(id);
  return id;
}

ValueId Graph::add_state(std::string name, const Tensor& tensor) {
  check_defined(kWhere, tensor);
  const ValueId id = add_value({.origin = Value::Origin::state,
                                .name = std::move(name),
                                .type = like_on_meta(tensor),
                                .tensor = tensor});
  states_.push_back(id);
  return id;
}

ValueId Graph::add_constant(const Tensor& tensor) {
  check_defined(kWhere, tensor);
  return add_value(
      {.origin = Value::Origin::constant, .name = {}, .type = like_on_meta(tensor), .tensor = tensor});
}

ValueIds Graph::add(std::shared_ptr<const Operation> operation, std::span<const ValueId> inputs,
                    NodeMarks marks) {
  Tensors types;
  for (size_t i = 0; i < inputs.size(); ++i) {
    if (inputs[i] != kAbsent) {
      types.push_back(value(inputs[i]).type);
    } else if (operation->is_optional(i)) {
      types.push_back({});
    } else {
      throw ValueError(operation->name(), "input " + std::to_string(i) + " is absent, and is not optional");
    }
  }
  OutputSpecs specs;
  operation->infer(types, specs);
  Node node{.operation = std::move(operation), .inputs = {}, .outputs = {}, .marks = marks};
  for (const ValueId input : inputs) node.inputs.push_back(input);
  for (const OutputSpec& spec : specs) {
    node.outputs.push_back(add_value({.origin = Value::Origin::node,
                                      .name = {},
                                      .type = make_output(spec, types, kMeta),
                                      .tensor = {},
                                      .node = static_cast<int>(nodes_.size()),
                                      .kind = spec.kind,
                                      .source = spec.source}));
  }
  ValueIds made = node.outputs;
  nodes_.push_back(std::move(node));
  return made;
}

void Graph::set_outputs(std::vector<ValueId> outputs) {
  for (const ValueId id : outputs) value(id);
  outputs_ = std::move(outputs);
}

void Graph::check_update(ValueId state, ValueId updated) const {
  const Value& before = value(state);
  const Value& after = value(updated);
  if (before.origin != Value::Origin::state)
    throw ValueError(kWhere, name_of(state) + " is no state, and cannot be updated");
  if (before.type.shape() != after.type.shape() || before.type.dtype() != after.type.dtype()) {
    throw ValueError(kWhere, "state " + before.name + " is " + describe(before.tensor) + "; " +
                                 describe(after.type) + " was given as its update");
  }
}

void Graph::update_state(ValueId state, ValueId updated) {
  check_update(state, updated);
  updates_.push_back({state, updated});
}

void Graph::set_gradient(ValueId state, ValueId gradient) {
  check_update(state, gradient == kAbsent ? state : gradient);
  gradients_.push_back({state, gradient});
}

void Graph::name_inputs(std::vector<std::string> names) {
  if (names.size() != inputs_.size()) {
    throw ValueError(kWhere, std::to_string(names.size()) + " names were given for " +
                                 std::to_string(inputs_.size()) + " inputs");
  }
  std::set<std::string> taken = {""};
  for (const ValueId id : states_) taken.insert(value(id).name);
  for (const std::string& name : names) {
    if (!taken.insert(name).second)
      throw ValueError(kWhere, "an input cannot be called '" + name + "': that is taken");
  }
  for (size_t i = 0; i < names.size(); ++i)
    values_[static_cast<size_t>(inputs_[i])].name = std::move(names[i]);
}

bool Graph::reads(ValueId id) const {
  return std::any_of(nodes_.begin(), nodes_.end(), [&](const Node& node) {
    return std::find(node.inputs.begin(), node.inputs.end(), id) != node.inputs.end();
  });
}

std::vector<bool> Graph::used_values() const {
  std::vector<bool> used(values_.size());
  const auto use = [&](ValueId id) {
    if (id != kAbsent) used[static_cast<size_t>(id)] = true;
  };
  for (const Node& node : nodes_) std::for_each(node.inputs.begin(), node.inputs.end(), use);
  std::for_each(outputs_.begin(), outputs_.end(), use);
  for (const std::vector<StateUpdate>* list : {&updates_, &gradients_}) {
    for (const StateUpdate& update : *list) {
      use(update.state);
      use(update.value);
    }
  }
  return used;
}

void Graph::drop_unused(size_t inputs) {
  const std::vector<bool> used = used_values();
  const auto unused = [&](ValueId id) { return !used[static_cast<size_t>(id)]; };
  std::erase_if(states_, unused);
  const auto optional = inputs_.begin() + static_cast<std::ptrdiff_t>(std::min(inputs, inputs_.size()));
  inputs_.erase(std::remove_if(optional, inputs_.end(), unused), inputs_.end());
  compact();
}

void Graph::compact() {
  std::vector<bool> kept = used_values();
  for (const std::vector<ValueId>* list : {&inputs_, &states_}) {
    for (const ValueId id : *list) kept[static_cast<size_t>(id)] = true;
  }
  std::vector<ValueId> now(values_.size(), kAbsent);
  std::vector<Value> values;
  for (size_t i = 0; i < values_.size(); ++i) {
    if (!kept[i] && values_[i].origin != Value::Origin::node) continue;
    now[i] = static_cast<ValueId>(values.size());
    values.push_back(std::move(values_[i]));
  }
  values_ = std::move(values);
  const auto renumber = [&](ValueId& id) {
    if (id != kAbsent) id = now[static_cast<size_t>(id)];
  };
  for (Node& node : nodes_) {
    for (ValueId& id : node.inputs) renumber(id);
    for (ValueId& id : node.outputs) renumber(id);
  }
  for (std::vector<ValueId>* list : {&inputs_, &states_, &outputs_}) {
    for (ValueId& id : *list) renumber(id);
  }
  for (std::vector<StateUpdate>* list : {&updates_, &gradients_}) {
    for (StateUpdate& update : *list) {
      renumber(update.state);
      renumber(update.value);
    }
  }
}

const Value& Graph::value(ValueId id) const {
  if (id < 0 || static_cast<size_t>(id) >= values_.size()) {
    throw ValueError(kWhere, "there is no value " + std::to_string(id) + "; there are " +
                                 std::to_string(values_.size()) + ", counted from 0");
  }
  return values_[static_cast<size_t>(id)];
}

std::string Graph::name_of(ValueId id) const {
  if (id == kAbsent) return "absent";
  const Value& named = value(id);
  if (!named.name.empty()) return named.name;
  return (named.origin == Value::Origin::constant ? "#" : "%") + std::to_string(id);
}

std::string type_text(const Tensor& type) {
  return std::string(espalier::to_string(type.dtype())) + espalier::to_string(type.shape());
}

namespace {

void print_list(std::ostream& out, const Graph& graph, const char* title, const std::vector<ValueId>& ids) {
  if (ids.empty()) return;
  const char* before = title;
  for (const ValueId id : ids) {
    out << before << graph.name_of(id) << ": " << type_text(graph.value(id).type);
    before = ", ";
  }
  out << '\n';
}

}  // namespace

std::ostream& operator<<(std::ostream& out, const Graph& graph) {
  print_list(out, graph, "inputs: ", graph.inputs());
  print_list(out, graph, "state: ", graph.states());
  for (const Node& node : graph.nodes()) {
    const char* before = "";
    for (const ValueId id : node.outputs) {
      out << before << graph.name_of(id);
      before = ", ";
    }
    out << " = " << node.operation->name() << '(';
    before = "";
    for (const ValueId id : node.inputs) {
      out << before << graph.name_of(id);
      before = ", ";
    }
    std::ostringstream attributes;
    attributes << attributes_of(*node.operation);
    out << (attributes.view().empty() ? "" : "; ") << attributes.view() << ')';
    before = ": ";
    for (const ValueId id : node.outputs) {
      out << before << type_text(graph.value(id).type);
      before = ", ";
    }
    out << to_string(node.marks) << '\n';
  }
  const char* before = "outputs: ";
  for (const ValueId id : graph.outputs()) {
    out << before << graph.name_of(id);
    before = ", ";
  }
  if (!graph.outputs().empty()) out << '\n';
  for (const StateUpdate& update : graph.updates())
    out << graph.name_of(update.state) << " <- " << graph.name_of(update.value) << '\n';
  for (const StateUpdate& gradient : graph.gradients())
    out << "gradient of " << graph.name_of(gradient.state) << " <- " << graph.name_of(gradient.value) << '\n';
  return out;
}

std::string to_string(const Graph& graph) {
  std::ostringstream text;
  text << graph;
  return text.str();
}

}  // namespace espalier::runtime
