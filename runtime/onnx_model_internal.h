#pragma once

// An ONNX model as its file has it, before anything is made of it.

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace espalier::runtime {

/// A tensor as it is described: its elements are where they were, or in the list for its type.
struct OnnxTensor {
  std::string name = {};
  std::vector<int64_t> sizes = {};
  int64_t type = 0;
  std::optional<std::string_view> raw = {};  ///< of the model's bytes
  std::vector<int64_t> integers = {};
  std::vector<float> floats = {};
  std::vector<double> doubles = {};
  bool external = false;                          ///< in another file
  std::map<std::string, std::string> place = {};  ///< where there: location, offset, length
};

/// std::monostate is what no operator here takes: a graph, a list of strings.
using OnnxValue = std::variant<std::monostate, int64_t, float, std::string, OnnxTensor, std::vector<int64_t>,
                               std::vector<float>>;

struct OnnxNode {
  std::string name = {}, type = {}, domain = {};
  std::vector<std::string> inputs = {}, outputs = {};  ///< empty: absent
  std::map<std::string, OnnxValue> attributes = {};
};

/// The size of an axis, or its name where it is free.
struct OnnxSize {
  std::optional<int64_t> size = {};
  std::string name = {};
};

/// An input or output. Without sizes where the file says nothing of its shape.
struct OnnxInfo {
  std::string name = {};
  int64_t type = 0;  ///< of its elements; 0: it is no tensor
  std::optional<std::vector<OnnxSize>> sizes = {};
};

struct OnnxModel {
  int64_t operators = 0;  ///< their version
  std::vector<OnnxNode> nodes = {};
  std::vector<OnnxTensor> initializers = {};
  std::vector<OnnxInfo> inputs = {}, outputs = {};
};

/// Reads a model; `bytes` must outlive it. Throws FormatError, where `name` stands for the file, for what is
/// no model, of a version that is not known, or has parts that nothing is made of: functions, sparse tensors.
OnnxModel read_onnx_model(std::string_view bytes, const std::string& name);

/// `'conv1.weight'`, cut where it is long: names come from files.
std::string quoted_name(std::string_view name);

}  // namespace espalier::runtime
