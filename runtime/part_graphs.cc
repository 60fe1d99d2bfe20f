#include <exception>

#include "core/error.h"
#include "runtime/part_graphs_internal.h"
#include "runtime/passes.h"
#include "runtime/plan_builder_internal.h"

namespace espalier::runtime {
namespace {

/// Whether indices of axis 0 lie one behind the other in memory, each in the same way in both.
bool same_rows(const Tensor& whole, const Tensor& part) {
  if (!is_dense(whole.shape(), whole.strides()) || !is_dense(part.shape(), part.strides())) return false;
  int64_t row = 1;
  for (int i = 1; i < whole.rank(); ++i) {
    if (whole.size(i) > 1 && whole.strides()[i] != part.strides()[i]) return false;
    row *= whole.size(i);
  }
  const auto outermost = [&](const Tensor& type) { return type.size(0) == 1 || type.strides()[0] == row; };
  return whole.offset() == 0 && part.offset() == 0 && outermost(whole) && outermost(part);
}

/// Why the parts' elements do not lie in the whole's memory as they do alone; empty: they do.
std::string other_layout(const Graph& whole, const Graph& part, std::span<const int> batched) {
  for (const int input : batched) {
    const ValueId id = whole.inputs()[static_cast<size_t>(input)],
                  own = part.inputs()[static_cast<size_t>(input)];
    if (!same_rows(whole.value(id).type, part.value(own).type))
      return "the examples do not lie one behind the other in " + whole.name_of(id);
  }
  for (size_t i = 0; i < whole.outputs().size(); ++i) {
    const Tensor &all = whole.value(whole.outputs()[i]).type, &some = part.value(part.outputs()[i]).type;
    // What does not fill its memory is copied out, row-major.
    const bool copied = !fills_memory(all) && !fills_memory(some);
    if (!copied && !same_rows(all, some))
      return "the examples do not lie one behind the other in result " + std::to_string(i);
  }
  return "";
}

}  // namespace

PartGraphs::PartGraphs(const BatchedGraph& batched, Equality equality)
    : batched_(batched), raw_(batched.at(batched.examples)), whole_(optimise(raw_, equality)) {
  raw_.compact();
  for (const int input : batched.inputs) {
    if (input < 0 || static_cast<size_t>(input) >= raw_.inputs().size())
      throw ValueError("batch runner", "the graph has no input " + std::to_string(input));
  }
}

const PartGraphs::Made& PartGraphs::made(int64_t examples) {
  const auto found = made_.find(examples);
  if (found != made_.end()) return found->second;
  Made& made = made_[examples];
  Graph raw;
  try {
    raw = batched_.at(examples);
  } catch (const std::exception& error) {
    // Code that takes one size alone says so in its own way.
    made.refusal = std::string("there is no graph for a part: ") + error.what();
    return made;
  }
  raw.compact();
  made.refusal = find_batch_axes(raw_, raw, batched_.inputs).refusal;
  if (!made.refusal.empty()) return made;
  made.graph = optimise(raw);
  made.refusal = other_layout(whole_, made.graph, batched_.inputs);
  return made;
}

std::string PartGraphs::refusal(int64_t parts) {
  if (batched_.inputs.empty()) return "no input has a batch";
  const int64_t size = largest(parts);
  const std::string& refusal = made(size).refusal;
  if (!refusal.empty() || count_of_largest(parts) == parts) return refusal;
  return made(size - 1).refusal;
}

}  // namespace espalier::runtime
