#pragma once

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
class ESPALIER_API GraphFamily {
 public:
  const std::vector<FreeAxis>& axes() const noexcept { return axes_; }
  /// The graph at the sizes of the examples.
  const Graph& example() const noexcept { return corners_.front(); }

  /// The graph at these sizes. Throws ValueError where a name is missing, unknown, or its size less than 1;
  /// with the node or value, where a number in it would not be whole; and what Graph::add throws where an
  /// operation does not take the sizes.
  Graph at(const Sizes& sizes) const;

 private:
  friend GraphFamily capture_family(const Function&, const std::vector<FreeAxis>&, Inputs, const State&);
  GraphFamily() = default;

  std::vector<FreeAxis> axes_;
  std::vector<std::string> names_;
  std::vector<int64_t> near_, far_;  ///< of each name, the two sizes that were captured
  std::vector<Graph> corners_;       ///< bit n of the index: name n has its far size
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
