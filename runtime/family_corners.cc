#include <algorithm>
#include <set>
#include <utility>

#include "core/error.h"
#include "runtime/family_parts_internal.h"
#include "runtime/graph_family.h"

namespace espalier::runtime {
namespace {

/// More than examples have, and little enough that sums of several do not overflow.
constexpr int64_t kMostCornerSize = int64_t{1} << 31;

const Tensor& input_type(const Graph& graph, int input) {
  return graph.value(graph.inputs()[static_cast<size_t>(input)]).type;
}

void check_name_count(size_t names) {
  if (names > GraphFamily::kMostNames) {
    throw ValueError(
        kFamily, std::to_string(names) + " names are more than " + std::to_string(GraphFamily::kMostNames));
  }
}

/// Throws unless the inputs of a corner have the shapes of the first one's, but for its sizes.
void check_inputs(const Graph& first, const Graph& corner, const std::vector<FreeAxis>& axes,
                  const Sizes& sizes) {
  for (size_t i = 0; i < first.inputs().size(); ++i) {
    const auto input = static_cast<int>(i);
    Shape expected = input_type(first, input).shape();
    for (const FreeAxis& axis : axes) {
      if (axis.input == input) expected[axis.axis] = sizes.at(axis.name);
    }
    const Tensor& type = input_type(corner, input);
    if (type.shape() != expected) {
      throw ValueError(kFamily, "input " + first.name_of(first.inputs()[i]) + " is " + type_text(type) +
                                    " in one of the graphs; expected the shape " + to_string(expected));
    }
  }
}

}  // namespace

GraphFamily::GraphFamily(Graph graph) : GraphFamily({}, {std::move(graph)}) {}

GraphFamily::GraphFamily(std::vector<FreeAxis> axes, std::vector<Graph> corners)
    : axes_(std::move(axes)), corners_(std::move(corners)) {
  std::set<std::string> names;
  for (const FreeAxis& axis : axes_) names.insert(axis.name);
  names_.assign(names.begin(), names.end());
}

GraphFamily GraphFamily::from_corners(std::vector<FreeAxis> axes, std::vector<Graph> corners) {
  for (Graph& corner : corners) corner.compact();
  GraphFamily family(std::move(axes), std::move(corners));
  family.check_axes();
  for (const Graph& corner : family.corners_) check_alike(family.corners_.front(), corner);
  family.read_corner_sizes();
  // Makes each number and constant by its rule, and so checks that it has one.
  if (!family.axes_.empty()) family.at(family.example_sizes());
  return family;
}

GraphFamily GraphFamily::of(const std::function<Graph(const Sizes&)>& graph_of, std::vector<FreeAxis> axes,
                            const Sizes& example) {
  check_name_count(example.size());
  std::vector<Graph> corners;
  for (size_t corner = 0; corner < size_t{1} << example.size(); ++corner) {
    Sizes sizes;
    for (const auto& [name, size] : example) {
      // Sizes of 1 are no examples of others: they broadcast, and their strides mean nothing.
      const int64_t near = std::max<int64_t>(size, 2), far = near < 4 ? near + 1 : near - 1;
      const bool is_far = (corner >> sizes.size() & 1) != 0;
      sizes[name] = is_far ? far : near;
    }
    corners.push_back(graph_of(sizes));
  }
  GraphFamily family = from_corners(std::move(axes), std::move(corners));
  family.check(graph_of);
  return family;
}

void GraphFamily::check_axes() const {
  check_name_count(names_.size());
  if (corners_.size() != size_t{1} << names_.size()) {
    throw ValueError(kFamily, std::to_string(corners_.size()) + " graphs for " +
                                  std::to_string(names_.size()) + " names; expected " +
                                  std::to_string(size_t{1} << names_.size()));
  }
  std::set<std::pair<int, int>> places;
  const Graph& graph = example();
  for (const FreeAxis& axis : axes_) {
    const std::string place = "axis " + std::to_string(axis.axis) + " of input " + std::to_string(axis.input);
    const bool there = axis.input >= 0 && static_cast<size_t>(axis.input) < graph.inputs().size() &&
                       axis.axis >= 0 && axis.axis < input_type(graph, axis.input).rank();
    if (!there) throw ValueError(kFamily, "the graph has no " + place + ", which is to be " + axis.name);
    if (axis.name.empty()) throw ValueError(kFamily, place + " is free, and has no name");
    if (!places.emplace(axis.input, axis.axis).second) throw ValueError(kFamily, place + " stands twice");
  }
}

void GraphFamily::read_corner_sizes() {
  for (size_t n = 0; n < names_.size(); ++n) {
    const auto axis =
        std::find_if(axes_.begin(), axes_.end(), [&](const FreeAxis& one) { return one.name == names_[n]; });
    near_.push_back(input_type(corners_.front(), axis->input).size(axis->axis));
    far_.push_back(input_type(corners_[size_t{1} << n], axis->input).size(axis->axis));
    const auto [least, most] = std::minmax(near_.back(), far_.back());
    if (least < 1 || most > kMostCornerSize || least == most) {
      throw ValueError(kFamily, "the graphs have sizes " + std::to_string(near_.back()) + " and " +
                                    std::to_string(far_.back()) + " of " + names_[n] +
                                    "; expected two from 1 to " + std::to_string(kMostCornerSize));
    }
  }
  for (size_t corner = 0; corner < corners_.size(); ++corner) {
    Sizes sizes;
    for (size_t n = 0; n < names_.size(); ++n) sizes[names_[n]] = (corner >> n & 1) != 0 ? far_[n] : near_[n];
    check_inputs(corners_.front(), corners_[corner], axes_, sizes);
  }
}

}  // namespace espalier::runtime
