#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "runtime/graph.h"
#include "runtime/size_rules_internal.h"

namespace espalier::runtime {

/// What begins the errors about a GraphFamily.
inline constexpr const char* kFamily = "graph family";

/// `node 3, conv2d`.
std::string place_of_node(const Graph& graph, size_t index);

/// What a thing that `corners` have in common is at other sizes: the operation of a node, the elements of a
/// constant, an input on meta. Throw ValueError where its numbers fit no rule.
std::shared_ptr<const Operation> operation_at(const SizeRules& rules, const std::vector<Graph>& corners,
                                              size_t node);
Tensor constant_at(const SizeRules& rules, const std::vector<Tensor>& corners);
Tensor input_at(const SizeRules& rules, const std::vector<Tensor>& corners);

/// Whether both are the same to the bit: type, shape, layout and elements.
bool same_constant(const Tensor& a, const Tensor& b);

/// The number that all elements of a row-major constant are, as a tensor without axes; nothing where they
/// differ, or there are none.
std::optional<Tensor> repeated_number(const Tensor& tensor);

/// Throws ValueError, with the first place, unless the graphs differ in numbers alone: in attributes,
/// sizes and constants.
void check_alike(const Graph& a, const Graph& b);

}  // namespace espalier::runtime
