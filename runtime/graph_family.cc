#include "runtime/graph_family.h"

#include <algorithm>
#include <utility>

#include "core/error.h"
#include "runtime/family_parts_internal.h"

namespace espalier::runtime {
namespace {

std::vector<Tensor> tensors_at_corners(const std::vector<Graph>& corners, size_t id, Tensor Value::* member) {
  std::vector<Tensor> all;
  for (const Graph& corner : corners) all.push_back(corner.values()[id].*member);
  return all;
}

/// An input or constant of the family, added to `graph`.
void add_from_outside(Graph& graph, const SizeRules& rules, const std::vector<Graph>& corners, size_t id) {
  const Value& value = corners.front().values()[id];
  try {
    if (value.origin == Value::Origin::input)
      graph.add_input(value.name, input_at(rules, tensors_at_corners(corners, id, &Value::type)));
    else
      graph.add_constant(constant_at(rules, tensors_at_corners(corners, id, &Value::tensor)));
  } catch (const ValueError& error) {
    throw ValueError(kFamily, corners.front().name_of(static_cast<ValueId>(id)) + ", of " +
                                  type_text(value.type) + ", " + error.message());
  }
}

/// Sizes beside those of the corners, on the far side of the second ones where they would be 2 or more there.
Sizes sizes_beside(const std::vector<std::string>& names, const std::vector<int64_t>& near,
                   const std::vector<int64_t>& far) {
  Sizes sizes;
  for (size_t n = 0; n < names.size(); ++n) {
    const int64_t step = far[n] - near[n];
    sizes[names[n]] = far[n] + step >= 2 ? far[n] + step : near[n] - step;
  }
  return sizes;
}

}  // namespace

Sizes GraphFamily::example_sizes() const {
  Sizes sizes;
  for (size_t n = 0; n < names_.size(); ++n) sizes[names_[n]] = near_[n];
  return sizes;
}

Graph GraphFamily::at(const Sizes& sizes) const {
  for (const auto& [name, size] : sizes) {
    if (std::find(names_.begin(), names_.end(), name) == names_.end())
      throw ValueError(kFamily, "has no free axis " + name);
    if (size < 1) throw ValueError(kFamily, "size " + std::to_string(size) + " of " + name + " is below 1");
  }
  SizeRules rules(near_, far_);
  for (const std::string& name : names_) {
    const auto found = sizes.find(name);
    if (found == sizes.end()) throw ValueError(kFamily, "the size of " + name + " is missing");
    rules.add(found->second);
  }
  Graph graph;
  const Graph& example = corners_.front();
  for (size_t id = 0, node = 0; id < example.values().size(); ++id) {
    const Value& value = example.values()[id];
    if (value.origin == Value::Origin::state) {
      graph.add_state(value.name, value.tensor);
    } else if (value.origin != Value::Origin::node) {
      add_from_outside(graph, rules, corners_, id);
    } else if (static_cast<size_t>(value.node) == node) {
      graph.add(operation_at(rules, corners_, node), example.nodes()[node].inputs,
                example.nodes()[node].marks);
      ++node;
    }
  }
  graph.set_outputs(example.outputs());
  for (const StateUpdate& update : example.updates()) graph.update_state(update.state, update.value);
  for (const StateUpdate& gradient : example.gradients()) graph.set_gradient(gradient.state, gradient.value);
  return graph;
}

void GraphFamily::check(const std::function<Graph(const Sizes&)>& graph_of) const {
  const Sizes sizes = sizes_beside(names_, near_, far_);
  Graph graph = graph_of(sizes);
  graph.compact();
  check_alike(corners_.front(), graph);
  if (!(at(sizes) == graph)) {
    throw ValueError(kFamily,
                     "a number in what the function computes fits no rule: no sum of products of sizes");
  }
}

GraphFamily GraphFamily::map(const std::function<Graph(const Graph&)>& f) const {
  std::vector<Graph> corners;
  for (const Graph& corner : corners_) corners.push_back(f(corner));
  GraphFamily made = from_corners(axes_, std::move(corners));
  if (axes_.empty()) return made;
  made.check([&](const Sizes& sizes) { return f(at(sizes)); });
  return made;
}

}  // namespace espalier::runtime
