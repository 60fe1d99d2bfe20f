#include <algorithm>
#include <optional>
#include <utility>
#include <variant>

#include "core/error.h"
#include "ops/expand.h"
#include "ops/reshape.h"
#include "runtime/batch_axes_internal.h"
#include "runtime/family_parts_internal.h"
#include "runtime/rewriter.h"

namespace espalier::runtime {
namespace {

/// The same for each part.
struct Shared {};
/// Examples one behind the other along `axis`, `rows` indices each.
struct Examples {
  int axis = 0;
  int64_t rows = 1;
};
/// Nobody knows, for this reason.
struct Unknown {
  std::string why;
};
using Place = std::variant<Shared, Examples, Unknown>;

/// The only axis along which two shapes differ; -1 where there is none, or several.
int differing_axis(const Shape& a, const Shape& b) {
  int found = -1;
  if (a.rank() != b.rank()) return found;
  for (int i = 0; i < a.rank(); ++i) {
    if (a[i] == b[i]) continue;
    if (found >= 0) return -1;
    found = i;
  }
  return found;
}

/// Goes through both graphs at once.
class BatchWalk {
 public:
  BatchWalk(const Graph& whole, const Graph& part, std::span<const int> batched)
      : whole_(whole), part_(part), batched_(batched), places_(whole.values().size()) {
    const size_t first = static_cast<size_t>(batched.front());
    examples_ = whole.value(whole.inputs()[first]).type.size(0);
    part_examples_ = part.value(part.inputs()[first]).type.size(0);
    for (size_t id = 0; id < places_.size(); ++id) {
      if (whole.values()[id].origin != Value::Origin::node)
        places_[id] = of_outside(static_cast<ValueId>(id));
    }
    for (size_t i = 0; i < whole.nodes().size(); ++i) go_through(i);
  }

  BatchAxes found() const {
    BatchAxes axes;
    for (const ValueId id : whole_.outputs()) {
      const Place& place = places_[static_cast<size_t>(id)];
      const auto* const examples = std::get_if<Examples>(&place);
      if (const auto* const unknown = std::get_if<Unknown>(&place)) return {unknown->why, {}};
      if (!examples || examples->axis != 0)
        return {"the first axis of the result " + whole_.name_of(id) + " is not the batch", {}};
      axes.rows.push_back(examples->rows);
    }
    return axes;
  }

 private:
  const Tensor& whole_type(ValueId id) const { return whole_.value(id).type; }
  const Tensor& part_type(ValueId id) const { return part_.value(id).type; }
  bool same_shape(ValueId id) const { return whole_type(id).shape() == part_type(id).shape(); }

  /// The place, where the shapes of both graphs are as it says.
  Place checked(ValueId id, const Examples& place, const std::string& otherwise) const {
    Shape whole = whole_type(id).shape(), part = part_type(id).shape();
    const bool fits = place.axis < whole.rank() && whole.rank() == part.rank() &&
                      whole[place.axis] == examples_ * place.rows &&
                      part[place.axis] == part_examples_ * place.rows;
    if (!fits) return Unknown{otherwise};
    part[place.axis] = whole[place.axis];
    return part == whole ? Place(place) : Place(Unknown{otherwise});
  }

  Place of_outside(ValueId id) const {
    const Value &whole = whole_.value(id), &part = part_.value(id);
    const std::string changes = whole_.name_of(id) + " differs from part to part";
    if (whole.origin == Value::Origin::constant) {
      if (same_constant(whole.tensor, part.tensor)) return Shared{};
      return of_repeated(id, changes);
    }
    if (whole.origin == Value::Origin::input) {
      const auto& inputs = whole_.inputs();
      const auto number = static_cast<int>(std::find(inputs.begin(), inputs.end(), id) - inputs.begin());
      if (std::find(batched_.begin(), batched_.end(), number) != batched_.end())
        return checked(id, {}, "the first axis of " + whole_.name_of(id) + " is not the batch");
    }
    return same_shape(id) ? Place(Shared{}) : Place(Unknown{changes});
  }

  /// Of a constant that is one number wherever an example stands.
  Place of_repeated(ValueId id, const std::string& otherwise) const {
    const std::optional<Tensor> number = repeated_number(whole_.value(id).tensor),
                                other = repeated_number(part_.value(id).tensor);
    const int axis = differing_axis(whole_type(id).shape(), part_type(id).shape());
    if (axis < 0 || !number || !other || !same_constant(*number, *other)) return Unknown{otherwise};
    return checked(id, {axis, whole_type(id).size(axis) / examples_}, otherwise);
  }

  void go_through(size_t index) {
    const Node& node = whole_.nodes()[index];
    const bool same = signature(*node.operation) == signature(*part_.nodes()[index].operation);
    bool shared = true;
    const Place* unknown = nullptr;
    for (const ValueId id : node.inputs) {
      if (id == kAbsent) continue;
      const Place& place = places_[static_cast<size_t>(id)];
      shared &= std::holds_alternative<Shared>(place);
      if (std::holds_alternative<Unknown>(place)) unknown = &place;
    }
    const std::string where = place_of_node(whole_, index);
    for (size_t i = 0; i < node.outputs.size(); ++i) {
      Place& place = places_[static_cast<size_t>(node.outputs[i])];
      if (unknown)
        place = *unknown;
      else if (shared)
        place = of_shared(node, i, same, where);
      else if (node.operation->name() == Reshape::kName)
        place = of_reshape(node, where);
      else if (!same)
        place = Unknown{where + ", has attributes that depend on the batch"};
      else
        place = of_tied(node, i, where);
    }
  }

  /// Of what is computed of values that are the same for each part.
  Place of_shared(const Node& node, size_t output, bool same, const std::string& where) const {
    const ValueId id = node.outputs[output];
    if (same && same_shape(id)) return Shared{};
    const std::string otherwise = where + ", makes of shared values something that depends on the batch";
    if (node.operation->name() != Expand::kName) return Unknown{otherwise};
    const int axis = differing_axis(whole_type(id).shape(), part_type(id).shape());
    // An axis that the expansion made repeats one slice.
    const Shape& input = whole_type(node.inputs[0]).shape();
    const int own = axis - (whole_type(id).rank() - input.rank());
    if (axis < 0 || !same_shape(node.inputs[0]) || (own >= 0 && input[own] != 1)) return Unknown{otherwise};
    return checked(id, {axis, whole_type(id).size(axis) / examples_}, otherwise);
  }

  /// Row-major order stays, so the examples are again one behind the other wherever as many elements as
  /// before lie outside of them.
  Place of_reshape(const Node& node, const std::string& where) const {
    const auto place = std::get<Examples>(places_[static_cast<size_t>(node.inputs[0])]);
    const Shape &from = whole_type(node.inputs[0]).shape(), &to = whole_type(node.outputs[0]).shape();
    const std::string otherwise = where + ", joins the batch with other axes";
    int64_t outside = 1, seen = 1;
    for (int i = 0; i < place.axis; ++i) outside *= from[i];
    for (int i = 0; i < to.rank() && outside > 0; ++i) {
      if (seen == outside && to[i] != 1) return checked(node.outputs[0], {i, to[i] / examples_}, otherwise);
      seen *= to[i];
    }
    return Unknown{otherwise};
  }

  /// The tie of the batch's axes; null where there is none, or it takes in other axes.
  const AxisTie* batch_tie(const Node& node, const std::vector<AxisTie>& ties) const {
    const auto examples_of = [&](size_t input) -> const Examples* {
      const ValueId id = node.inputs[input];
      return id == kAbsent ? nullptr : std::get_if<Examples>(&places_[static_cast<size_t>(id)]);
    };
    const auto ties_all = [&](const AxisTie& tie) {
      size_t tied = 0, wanted = 0;
      for (const auto& [operand, axis] : tie.axes) {
        if (operand < 0) continue;
        const Examples* const examples = examples_of(static_cast<size_t>(operand));
        if (!examples || examples->axis != axis) return false;
        ++tied;
      }
      for (size_t i = 0; i < node.inputs.size(); ++i) wanted += examples_of(i) != nullptr;
      return tied == wanted;
    };
    const auto found = std::find_if(ties.begin(), ties.end(), ties_all);
    return found == ties.end() ? nullptr : &*found;
  }

  Place of_tied(const Node& node, size_t output, const std::string& where) const {
    const std::string otherwise = where + ", computes examples from each other";
    std::vector<Tensor> types;
    int64_t rows = 0;
    for (const ValueId id : node.inputs) {
      types.push_back(id == kAbsent ? Tensor() : whole_type(id));
      const auto* const examples =
          id == kAbsent ? nullptr : std::get_if<Examples>(&places_[static_cast<size_t>(id)]);
      if (examples) rows = examples->rows;  // tied axes have one size
    }
    const std::vector<AxisTie> ties = node.operation->axis_ties(types);
    const AxisTie* const tie = batch_tie(node, ties);
    if (!tie || tie->mixed) return Unknown{otherwise};
    const auto of_output = [&](const AxisTie::Axis& axis) {
      return axis.operand == -1 - static_cast<int>(output);
    };
    const auto found = std::find_if(tie->axes.begin(), tie->axes.end(), of_output);
    if (found == tie->axes.end()) return Unknown{otherwise};
    return checked(node.outputs[output], {found->axis, rows}, otherwise);
  }

  const Graph &whole_, &part_;
  std::span<const int> batched_;
  std::vector<Place> places_;  ///< of each value
  int64_t examples_ = 0, part_examples_ = 0;
};

/// Why there is nothing to look for; empty where there is.
std::string why_not_at_all(const Graph& whole, const Graph& part, std::span<const int> batched) {
  if (batched.empty()) return "no input has a batch";
  if (!whole.updates().empty() || !whole.gradients().empty()) return "a run changes states";
  try {
    check_alike(whole, part);
  } catch (const ValueError& error) {
    return error.message();
  }
  for (const int input : batched) {
    for (const Graph* graph : {&whole, &part}) {
      if (graph->value(graph->inputs()[static_cast<size_t>(input)]).type.rank() < 1)
        return "an input has no axes";
    }
  }
  return "";
}

}  // namespace

BatchAxes find_batch_axes(const Graph& whole, const Graph& part, std::span<const int> batched) {
  const std::string refusal = why_not_at_all(whole, part, batched);
  if (!refusal.empty()) return {refusal, {}};
  return BatchWalk(whole, part, batched).found();
}

}  // namespace espalier::runtime
