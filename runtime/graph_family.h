#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

#include "runtime/capture.h"

namespace espalier::runtime {

/// Sizes of free axes, by name.
using Sizes = std::map<std::string, int64_t>;

/// An axis of an input whose size is free. Axes of one name have one size.
struct FreeAxis {
  std::string name;
  int input = 0;
  int axis = 0;
};

/// What a function computes of inputs of any size along some axes: a graph for each choice of sizes, without
/// running the function again.
///
///   const GraphFamily family = capture_family(model, {{"batch", 0, 0}}, {images}, State(model));
///   const Plan plan(optimise(freeze(family.at({{"batch", 7}}))));
///
/// It holds graphs at a few sizes, the corners: for n names one for each choice between two sizes of each
/// name, 2^n in all. Whole numbers in the graph at other sizes lie on straight lines through these.
class ESPALIER_API GraphFamily {
 public:
  static constexpr size_t kMostNames = 4;

  /// A family without free axes: one graph.
  GraphFamily(Graph graph);  // NOLINT(google-explicit-constructor)

  /// The family of these corners: bit n of a corner's number says that the name that is n-th in alphabetical
  /// order has its second size. Which sizes these are, their inputs say. Throws ValueError for axes that the
  /// graphs do not have, or that stand there twice; more than kMostNames names; another number of corners; a
  /// size less than 1 or over 2^31, or twice the same; and, with the node or value, where corners differ in
  /// more than numbers, or in numbers that fit no rule.
  static GraphFamily from_corners(std::vector<FreeAxis> axes, std::vector<Graph> corners);
  /// The family of the graphs that `graph_of` gives, which is asked for 2^n + 1 sizes beside those of
  /// `example`: less by one and two, or more where that would be under 2. Throws what from_corners() and
  /// `graph_of` throw, and ValueError where the last of these graphs, which checks the others, is another.
  static GraphFamily of(const std::function<Graph(const Sizes&)>& graph_of, std::vector<FreeAxis> axes,
                        const Sizes& example);

  const std::vector<FreeAxis>& axes() const noexcept { return axes_; }
  const std::vector<Graph>& corners() const noexcept { return corners_; }
  /// The graph at the sizes of the examples, the first corner.
  const Graph& example() const noexcept { return corners_.front(); }
  /// The sizes of the examples.
  Sizes example_sizes() const;

  /// The graph at these sizes. Throws ValueError where a name is missing, unknown, or its size less than 1;
  /// with the node or value, where a number in it would not be whole; and what Graph::add throws where an
  /// operation does not take the sizes.
  Graph at(const Sizes& sizes) const;

  /// The sizes that these inputs have along the free axes. Throws, with the name of the input and the number
  /// of the axis: ValueError for another number of inputs or an undefined one; TypeError; ShapeError for
  /// another rank, a free axis of size 0, two sizes of one name, or another size along an axis that is not
  /// free.
  Sizes sizes_of(Inputs inputs) const;

  /// The family of what `f`, a pass or several, makes of each graph:
  ///
  ///   const GraphFamily smaller = family.map([](const Graph& graph) { return optimise(freeze(graph)); });
  ///
  /// Throws what `f` throws, and ValueError where what it makes is no family.
  GraphFamily map(const std::function<Graph(const Graph&)>& f) const;

 private:
  GraphFamily(std::vector<FreeAxis> axes, std::vector<Graph> corners);
  void check_axes() const;
  void read_corner_sizes();
  /// Throws ValueError where the graph at other sizes is another than this family's.
  void check(const std::function<Graph(const Sizes&)>& graph_of) const;

  std::vector<FreeAxis> axes_;
  std::vector<std::string> names_;
  std::vector<int64_t> near_, far_;  ///< of each name, the two sizes that corners have
  std::vector<Graph> corners_;
};

/// Captures `f` at the sizes of the examples and at others beside them, and finds how what it computes
/// depends on the sizes. Whole numbers in it, lengths in a reshape, say, may be products of sizes and sums of
/// such products. Constants are the same at all sizes, or one number repeated, or evenly spaced whole numbers
/// (arange). Another capture checks what was found.
///
/// `f` runs 2^n + 1 times for n names, of which there are four at most, at sizes less by one and two, or more
/// where that would be under 2. Throws what capture() throws; ValueError for axes that the examples do not
/// have or that differ, and, with the node or value, where `f` takes other ways at other sizes or a number
/// fits no such rule.
ESPALIER_API GraphFamily capture_family(const Function& f, const std::vector<FreeAxis>& axes, Inputs examples,
                                        const State& state = {});
template <class F>
  requires(!std::same_as<std::remove_cvref_t<F>, Function>)
GraphFamily capture_family(F&& f, const std::vector<FreeAxis>& axes, std::initializer_list<Tensor> examples,
                           const State& state = {}) {
  return capture_family(as_function(std::forward<F>(f)), axes, Inputs(examples.begin(), examples.size()),
                        state);
}

}  // namespace espalier::runtime
