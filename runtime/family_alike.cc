#include <algorithm>
#include <string>

#include "core/error.h"
#include "runtime/family_parts_internal.h"

namespace espalier::runtime {
namespace {

[[noreturn]] void refuse_other_way(const std::string& what) {
  throw ValueError(kFamily, "at another size the function takes another way: " + what);
}

bool same_updates(const std::vector<StateUpdate>& a, const std::vector<StateUpdate>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const StateUpdate& x, const StateUpdate& y) {
    return x.state == y.state && x.value == y.value;
  });
}

/// Whether two values are the same but for their sizes; those of states are the same, too.
bool alike(const Value& a, const Value& b) {
  return a.origin == b.origin && a.name == b.name && a.type.dtype() == b.type.dtype() &&
         a.type.rank() == b.type.rank() &&
         (a.origin != Value::Origin::state || a.type.shape() == b.type.shape());
}

}  // namespace

void check_alike(const Graph& a, const Graph& b) {
  for (size_t i = 0; i < std::min(a.nodes().size(), b.nodes().size()); ++i) {
    const Node &first = a.nodes()[i], &second = b.nodes()[i];
    if (first.operation->name() != second.operation->name()) {
      refuse_other_way(place_of_node(a, i) + ", is " + std::string(second.operation->name()) + " there");
    }
    if (first.marks != second.marks ||
        !std::equal(first.inputs.begin(), first.inputs.end(), second.inputs.begin(), second.inputs.end()))
      refuse_other_way(place_of_node(a, i) + ", reads other values there");
  }
  if (a.nodes().size() != b.nodes().size() || a.values().size() != b.values().size()) {
    refuse_other_way("it has " + std::to_string(a.nodes().size()) + " operations here and " +
                     std::to_string(b.nodes().size()) + " there");
  }
  for (size_t i = 0; i < a.values().size(); ++i) {
    const Value &first = a.values()[i], &second = b.values()[i];
    if (!alike(first, second)) {
      const auto id = static_cast<ValueId>(i);
      refuse_other_way(a.name_of(id) + ", " + type_text(first.type) + ", is " + b.name_of(id) + ", " +
                       type_text(second.type) + ", there");
    }
  }
  if (a.outputs() != b.outputs()) refuse_other_way("it puts out other values there");
  if (!same_updates(a.updates(), b.updates()) || !same_updates(a.gradients(), b.gradients()))
    refuse_other_way("it leaves other values in its states there");
}

}  // namespace espalier::runtime
