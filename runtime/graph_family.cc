#include "runtime/graph_family.h"

#include <algorithm>
#include <cstring>
#include <optional>
#include <span>

#include "core/create.h"
#include "core/error.h"
#include "ops/cast.h"
#include "ops/copy.h"
#include "runtime/size_rules_internal.h"

namespace espalier::runtime {
namespace {

constexpr const char* kFamily = "graph family";

std::string place_of_node(const Graph& graph, size_t index) {
  return "node " + std::to_string(index) + ", " + std::string(graph.nodes()[index].operation->name());
}

/// The corners' versions of one thing.
template <class Get>
auto at_corners(const std::vector<Graph>& corners, const Get& get) {
  std::vector<std::remove_cvref_t<decltype(get(corners.front()))>> all;
  for (const Graph& corner : corners) all.push_back(get(corner));
  return all;
}

Dims dims_at(const SizeRules& rules, const std::vector<Dims>& corners) {
  Dims dims = corners.front();
  for (int i = 0; i < dims.rank(); ++i) {
    std::vector<int64_t> sizes;
    for (const Dims& corner : corners) sizes.push_back(corner[i]);
    dims[i] = rules.whole(std::move(sizes));
  }
  return dims;
}

AttributeValue attribute_at(const SizeRules& rules, const std::vector<AttributeValue>& corners) {
  const AttributeValue& first = corners.front();
  if (std::holds_alternative<int64_t>(first)) {
    std::vector<int64_t> values;
    for (const AttributeValue& corner : corners) values.push_back(std::get<int64_t>(corner));
    return rules.whole(std::move(values));
  }
  const auto* list = std::get_if<std::vector<int64_t>>(&first);
  if (!list) throw ValueError(kFamily, "differs from size to size and is no whole number");
  std::vector<int64_t> found;
  for (size_t i = 0; i < list->size(); ++i) {
    std::vector<int64_t> values;
    for (const AttributeValue& corner : corners)
      values.push_back(std::get<std::vector<int64_t>>(corner).at(i));
    found.push_back(rules.whole(std::move(values)));
  }
  return found;
}

/// Whether all have the same kind, and lists the same length.
bool of_one_kind(const std::vector<AttributeValue>& values) {
  const auto length = [](const AttributeValue& value) {
    const auto* list = std::get_if<std::vector<int64_t>>(&value);
    return list ? list->size() : 0;
  };
  return std::all_of(values.begin(), values.end(), [&](const AttributeValue& value) {
    return value.index() == values.front().index() && length(value) == length(values.front());
  });
}

/// The operation of a node at other sizes.
std::shared_ptr<const Operation> operation_at(const SizeRules& rules, const std::vector<Graph>& corners,
                                              size_t index) {
  const auto all =
      at_corners(corners, [&](const Graph& graph) { return attributes_of(*graph.nodes()[index].operation); });
  const std::shared_ptr<const Operation>& first = corners.front().nodes()[index].operation;
  const auto same = [&](const Attributes& attributes) { return attributes == all.front(); };
  if (std::all_of(all.begin(), all.end(), same)) return first;
  Attributes found = all.front();
  for (size_t i = 0; i < found.size(); ++i) {
    std::vector<AttributeValue> values;
    for (const Attributes& attributes : all) values.push_back(attributes.at(i).value);
    const auto equal = [&](const Attributes& attributes) { return attributes[i] == found[i]; };
    if (std::all_of(all.begin(), all.end(), equal)) continue;
    try {
      if (!of_one_kind(values)) throw ValueError(kFamily, "is of another kind at another size");
      found[i].value = attribute_at(rules, values);
    } catch (const ValueError& error) {
      throw ValueError(
          kFamily, place_of_node(corners.front(), index) + ": its " + found[i].name + ' ' + error.message());
    }
  }
  return with_attributes(*first, found);
}

bool same_elements(const Tensor& a, const Tensor& b) {
  return a.dtype() == b.dtype() && a.shape() == b.shape() && a.strides() == b.strides() &&
         std::memcmp(a.raw_data(), b.raw_data(), static_cast<size_t>(a.numel()) * size_of(a.dtype())) == 0;
}

/// Whole numbers one behind the other at even distances.
struct Sequence {
  int64_t start, step, count;
};

std::optional<Sequence> sequence_of(const Tensor& tensor) {
  if (tensor.rank() != 1 || tensor.numel() == 0 || tensor.dtype() == Dtype::boolean) return {};
  const Tensor whole = cast(tensor, Dtype::i64);
  if (!same_elements(cast(whole, tensor.dtype()), contiguous(tensor))) return {};
  const std::vector<int64_t> values = whole.to_vector<int64_t>();
  const int64_t step = values.size() > 1 ? values[1] - values[0] : 1;
  for (size_t i = 1; i < values.size(); ++i) {
    if (values[i] - values[i - 1] != step) return {};
  }
  return Sequence{values[0], step, static_cast<int64_t>(values.size())};
}

/// One number in all elements; null data: no such number.
std::optional<Tensor> repeated(const Tensor& tensor) {
  const size_t size = size_of(tensor.dtype());
  const auto* const bytes = static_cast<const char*>(tensor.raw_data());
  if (tensor.numel() == 0) return {};
  for (int64_t i = 1; i < tensor.numel(); ++i) {
    if (std::memcmp(bytes, bytes + static_cast<size_t>(i) * size, size) != 0) return {};
  }
  return tensor.with_layout({}, {}, tensor.offset());
}

Tensor constant_at(const SizeRules& rules, const std::vector<Tensor>& corners) {
  const Tensor& first = corners.front();
  const auto same = [&](const Tensor& tensor) { return same_elements(tensor, first); };
  if (std::all_of(corners.begin(), corners.end(), same)) return first;
  std::vector<int64_t> starts, steps, counts;
  for (const Tensor& corner : corners) {
    const auto sequence = sequence_of(corner);
    if (!sequence) break;
    starts.push_back(sequence->start);
    steps.push_back(sequence->step);
    counts.push_back(sequence->count);
  }
  if (counts.size() == corners.size()) {
    const int64_t start = rules.whole(starts), step = rules.whole(steps), count = rules.whole(counts);
    if (count < 0) throw ValueError(kFamily, "has a length below 0");
    std::vector<int64_t> values;
    for (int64_t i = 0; i < count; ++i) values.push_back(start + i * step);
    return cast(from_values(values, {count}), first.dtype());
  }
  const std::optional<Tensor> number = repeated(first);
  std::vector<Dims> shapes;
  for (const Tensor& corner : corners) {
    const std::optional<Tensor> other = repeated(corner);
    if (!number || !other || !same_elements(*other, *number) || corner.rank() != first.rank() ||
        !corner.is_contiguous()) {
      throw ValueError(kFamily,
                       "differs from size to size, and is neither one number repeated nor evenly spaced");
    }
    shapes.push_back(corner.shape());
  }
  const Tensor made = empty(dims_at(rules, shapes), first.dtype());
  for (int64_t i = 0; i < made.numel(); ++i) {
    std::memcpy(static_cast<char*>(made.raw_data()) + static_cast<size_t>(i) * size_of(made.dtype()),
                number->raw_data(), size_of(made.dtype()));
  }
  return made;
}

/// A value from outside on meta, at other sizes.
Tensor input_at(const SizeRules& rules, const std::vector<Tensor>& corners) {
  std::vector<Dims> shapes, strides;
  for (const Tensor& corner : corners) {
    shapes.push_back(corner.shape());
    strides.push_back(corner.strides());
  }
  return empty_strided(dims_at(rules, shapes), dims_at(rules, strides), corners.front().dtype(), kMeta);
}

/// Throws unless the graphs differ in numbers alone.
void check_alike(const Graph& a, const Graph& b) {
  const auto refuse = [](const std::string& what) {
    throw ValueError(kFamily, "at another size the function takes another way: " + what);
  };
  for (size_t i = 0; i < std::min(a.nodes().size(), b.nodes().size()); ++i) {
    const Node &first = a.nodes()[i], &second = b.nodes()[i];
    if (first.operation->name() != second.operation->name()) {
      refuse(place_of_node(a, i) + ", is " + std::string(second.operation->name()) + " there");
    }
    if (!std::equal(first.inputs.begin(), first.inputs.end(), second.inputs.begin(), second.inputs.end()))
      refuse(place_of_node(a, i) + ", reads other values there");
  }
  if (a.nodes().size() != b.nodes().size() || a.values().size() != b.values().size())
    refuse("it has " + std::to_string(a.nodes().size()) + " operations here and " +
           std::to_string(b.nodes().size()) + " there");
}

/// The examples with these sizes along the free axes.
std::vector<Tensor> resized(Inputs examples, const std::vector<FreeAxis>& axes, const Sizes& sizes) {
  std::vector<Tensor> inputs(examples.begin(), examples.end());
  for (const FreeAxis& axis : axes) {
    Tensor& input = inputs[static_cast<size_t>(axis.input)];
    Shape shape = input.shape();
    shape[axis.axis] = sizes.at(axis.name);
    // The order of the axes in memory stays.
    const bool channels_last = !input.is_contiguous() && shape.rank() == 4;
    input = channels_last ? empty_strided(shape, channels_last_strides(shape), input.dtype(), kMeta)
                          : empty(shape, input.dtype(), kMeta);
  }
  return inputs;
}

Sizes sizes_of_examples(const std::vector<FreeAxis>& axes, Inputs examples) {
  Sizes sizes;
  for (const FreeAxis& axis : axes) {
    const bool there = axis.input >= 0 && static_cast<size_t>(axis.input) < examples.size() &&
                       examples[static_cast<size_t>(axis.input)].defined() && axis.axis >= 0 &&
                       axis.axis < examples[static_cast<size_t>(axis.input)].rank();
    if (!there)
      throw ValueError(kFamily, "the examples have no axis " + std::to_string(axis.axis) + " of input " +
                                    std::to_string(axis.input) + ", which is to be " + axis.name);
    const int64_t size = examples[static_cast<size_t>(axis.input)].shape()[axis.axis];
    if (sizes.try_emplace(axis.name, size).first->second != size)
      throw ValueError(kFamily, "the examples have two sizes for " + axis.name + ", " +
                                    std::to_string(sizes.at(axis.name)) + " and " + std::to_string(size));
  }
  return sizes;
}

Graph compacted(Graph graph) {
  graph.compact();
  return graph;
}

}  // namespace

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
    if (value.origin == Value::Origin::node) {
      if (static_cast<size_t>(value.node) < node) continue;
      graph.add(operation_at(rules, corners_, node), example.nodes()[node].inputs,
                example.nodes()[node].again);
      ++node;
      continue;
    }
    if (value.origin == Value::Origin::state) {
      graph.add_state(value.name, value.tensor);
      continue;
    }
    try {
      if (value.origin == Value::Origin::input) {
        graph.add_input(value.name, input_at(rules, at_corners(corners_, [&](const Graph& corner) {
                                               return corner.values()[id].type;
                                             })));
      } else {
        graph.add_constant(constant_at(
            rules, at_corners(corners_, [&](const Graph& corner) { return corner.values()[id].tensor; })));
      }
    } catch (const ValueError& error) {
      throw ValueError(kFamily, example.name_of(static_cast<ValueId>(id)) + ", of " +
                                    type_text(value.type.defined() ? value.type : value.tensor) + ", " +
                                    error.message());
    }
  }
  graph.set_outputs(example.outputs());
  for (const StateUpdate& update : example.updates()) graph.update_state(update.state, update.value);
  for (const StateUpdate& gradient : example.gradients()) graph.set_gradient(gradient.state, gradient.value);
  return graph;
}

GraphFamily capture_family(const Function& f, const std::vector<FreeAxis>& axes, Inputs examples,
                           const State& state) {
  constexpr size_t kMostNames = 4;
  GraphFamily family;
  family.axes_ = axes;
  Sizes check;
  for (const auto& [name, size] : sizes_of_examples(axes, examples)) {
    // Sizes of 1 are no examples of others: they broadcast, and their strides mean nothing.
    const int64_t step = size < 4 ? 1 : -1;
    family.names_.push_back(name);
    family.near_.push_back(std::max<int64_t>(size, 2));
    family.far_.push_back(family.near_.back() + step);
    check[name] = family.near_.back() + 2 * step;
  }
  if (family.names_.size() > kMostNames)
    throw ValueError(kFamily, std::to_string(family.names_.size()) + " names are more than 4");
  for (size_t corner = 0; corner < size_t{1} << family.names_.size(); ++corner) {
    Sizes sizes;
    for (size_t n = 0; n < family.names_.size(); ++n)
      sizes[family.names_[n]] = corner >> n & 1 ? family.far_[n] : family.near_[n];
    family.corners_.push_back(compacted(capture(f, resized(examples, axes, sizes), state)));
    check_alike(family.corners_.front(), family.corners_.back());
  }
  const Graph found = compacted(capture(f, resized(examples, axes, check), state));
  check_alike(family.corners_.front(), found);
  if (!(family.at(check) == found))
    throw ValueError(kFamily,
                     "a number in what the function computes fits no rule: no sum of products of sizes");
  return family;
}

}  // namespace espalier::runtime
