#pragma once

// Writing a model in ONNX's format.

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "core/attributes.h"
#include "runtime/graph.h"
#include "runtime/onnx_format_internal.h"

namespace espalier::runtime {

struct OnnxAttribute {
  std::string name;
  std::variant<int64_t, float, std::vector<int64_t>> value;
};

/// Collects the parts of an ONNX graph in which the values of a Graph have names.
class OnnxWriter {
 public:
  /// On trial no elements are written: what is asked is whether a node can be.
  explicit OnnxWriter(const Graph& graph, bool trial = false);

  const Graph& graph() const noexcept { return graph_; }
  /// A value's name; constants and states become initializers when they are named first. Empty for kAbsent.
  std::string name_of(ValueId id);
  /// Adds an initializer; gives its name.
  std::string initializer(const Tensor& tensor, const std::string& name = {});
  /// Whole numbers as an initializer of one axis.
  std::string numbers(const std::vector<int64_t>& values);
  /// A name that no value has: theirs do not begin so.
  std::string new_name() { return "%new" + std::to_string(made_++); }
  void add(std::string_view type, const std::vector<std::string>& inputs,
           const std::vector<std::string>& outputs, const std::vector<OnnxAttribute>& attributes = {});
  /// The same with one new output; gives its name.
  std::string compute(std::string_view type, const std::vector<std::string>& inputs,
                      const std::vector<OnnxAttribute>& attributes = {});

  /// The model, when all nodes are added.
  std::string finish();

 private:
  const Graph& graph_;
  bool trial_;
  std::vector<std::string> names_;  // by value; empty: not named yet
  std::string nodes_, initializers_;
  int made_ = 0;
};

/// Writes a node in ONNX's operators; false where there is none for it. Throws ValueError where there is, but
/// not for these attributes or types.
bool write_onnx_node(OnnxWriter& to, const Node& node);

}  // namespace espalier::runtime
