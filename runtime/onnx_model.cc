#include <utility>

#include "core/error.h"
#include "io/wire_format.h"
#include "runtime/onnx_format_internal.h"
#include "runtime/onnx_model_internal.h"

namespace espalier::runtime {
namespace {

using io::WireReader;

/// The versions that are read. Operators: from 13 on, which made the axes of most of them inputs, up to 26,
/// which differs from 13 in attributes alone; those are read, or refused by name. IR: 3 is the first that has
/// operator sets, 13 belongs to operators 26.
constexpr int64_t kFirstIr = 3, kLastIr = 13, kFirstOperators = 13, kLastOperators = 26;

/// Reads the parts of a model, which all begin their errors with the file's name.
class ModelReader {
 public:
  explicit ModelReader(const std::string& name) : name_(name) {}

  OnnxModel read(std::string_view bytes) {
    int64_t ir = 0;
    bool graph = false;
    for (WireReader field(bytes, name_); field.next();) {
      using namespace onnx_model;
      if (field.number() == kIrVersion) ir = field.integer();
      if (field.number() == kOperators) read_operators(field.bytes());
      if (field.number() == kFunctions) fail("has functions of its own, which are not read; inline them");
      if (field.number() != kGraph) continue;
      read_graph(field.bytes());
      graph = true;
    }
    if (!graph) fail("holds no graph: it is no ONNX model, or cut short");
    check_version("IR", ir, kFirstIr, kLastIr);
    check_version("operator set", model_.operators, kFirstOperators, kLastOperators);
    return std::move(model_);
  }

 private:
  [[noreturn]] void fail(const std::string& why) const { throw FormatError(name_, why); }

  void check_version(const std::string& what, int64_t version, int64_t first, int64_t last) const {
    if (version >= first && version <= last) return;
    fail("has " + what + " version " + std::to_string(version) + "; this program reads " +
         std::to_string(first) + " to " + std::to_string(last));
  }

  /// Other domains' versions do not matter: none of their operators is known.
  void read_operators(std::string_view bytes) {
    std::string domain;
    int64_t version = 0;
    for (WireReader field(bytes, name_); field.next();) {
      if (field.number() == onnx_operators::kDomain) domain = field.text();
      if (field.number() == onnx_operators::kVersion) version = field.integer();
    }
    if (domain.empty() || domain == "ai.onnx") model_.operators = version;
  }

  void read_graph(std::string_view bytes) {
    for (WireReader field(bytes, name_); field.next();) {
      switch (field.number()) {
        case onnx_graph::kNode:
          model_.nodes.push_back(read_node(field.bytes()));
          break;
        case onnx_graph::kInitializer:
          model_.initializers.push_back(read_tensor(field.bytes()));
          break;
        case onnx_graph::kInput:
          model_.inputs.push_back(read_info(field.bytes()));
          break;
        case onnx_graph::kOutput:
          model_.outputs.push_back(read_info(field.bytes()));
          break;
        case onnx_graph::kSparseInitializer:
          fail("has a sparse initializer, which is not read");
        default:
          break;
      }
    }
  }

  OnnxNode read_node(std::string_view bytes) const {
    OnnxNode node;
    for (WireReader field(bytes, name_); field.next();) {
      using namespace onnx_node;
      if (field.number() == kInput) node.inputs.push_back(field.text());
      if (field.number() == kOutput) node.outputs.push_back(field.text());
      if (field.number() == kName) node.name = field.text();
      if (field.number() == kType) node.type = field.text();
      if (field.number() == kDomain) node.domain = field.text();
      if (field.number() != kAttribute) continue;
      auto [name, value] = read_attribute(field.bytes());
      if (!node.attributes.emplace(name, std::move(value)).second)
        fail("has a node " + quoted_name(node.name) + " with two attributes " + quoted_name(name));
    }
    if (node.type.empty()) fail("has a node " + quoted_name(node.name) + " without an operator");
    return node;
  }

  std::pair<std::string, OnnxValue> read_attribute(std::string_view bytes) const {
    using namespace onnx_attribute;
    std::string name, text;
    int64_t type = 0, integer = 0;
    float number = 0;
    std::vector<int64_t> integers;
    std::vector<float> numbers;
    OnnxTensor tensor;
    for (WireReader field(bytes, name_); field.next();) {
      if (field.number() == kName) name = field.text();
      if (field.number() == kType) type = field.integer();
      if (field.number() == kInteger) integer = field.integer();
      if (field.number() == kFloat) number = field.f32();
      if (field.number() == kString) text = field.bytes();
      if (field.number() == kTensor) tensor = read_tensor(field.bytes());
      if (field.number() == kIntegers) field.integers(integers);
      if (field.number() == kFloats) field.f32s(numbers);
    }
    switch (type) {
      case kIntegerType:
        return {name, integer};
      case kFloatType:
        return {name, number};
      case kStringType:
        return {name, text};
      case kTensorType:
        return {name, std::move(tensor)};
      case kIntegersType:
        return {name, std::move(integers)};
      case kFloatsType:
        return {name, std::move(numbers)};
      default:
        return {name, std::monostate()};
    }
  }

  OnnxTensor read_tensor(std::string_view bytes) const {
    OnnxTensor tensor;
    for (WireReader field(bytes, name_); field.next();) {
      using namespace onnx_tensor;
      switch (field.number()) {
        case kName:
          tensor.name = field.text();
          break;
        case kType:
          tensor.type = field.integer();
          break;
        case kSize:
          field.integers(tensor.sizes);
          break;
        case kRaw:
          tensor.raw = field.bytes();
          break;
        case kFloats:
          field.f32s(tensor.floats);
          break;
        case kDoubles:
          field.f64s(tensor.doubles);
          break;
        case kIntegers32:
        case kIntegers64:
        case kUnsigned64:
          field.integers(tensor.integers);
          break;
        case kLocation:
          tensor.external = field.integer() == 1;
          break;
        case kExternal:
          read_entry(field.bytes(), tensor.place);
          break;
        case kSegment:
        case kStrings:
          fail("has a tensor " + quoted_name(tensor.name) + " in segments or of strings, which is not read");
        default:
          break;
      }
    }
    return tensor;
  }

  void read_entry(std::string_view bytes, std::map<std::string, std::string>& to) const {
    std::string key, value;
    for (WireReader field(bytes, name_); field.next();) {
      if (field.number() == onnx_entry::kKey) key = field.text();
      if (field.number() == onnx_entry::kValue) value = field.text();
    }
    to[key] = value;
  }

  OnnxInfo read_info(std::string_view bytes) const {
    OnnxInfo info;
    for (WireReader field(bytes, name_); field.next();) {
      if (field.number() == onnx_info::kName) info.name = field.text();
      if (field.number() != onnx_info::kType) continue;
      for (WireReader type(field.bytes(), name_); type.next();) {
        if (type.number() == onnx_info::kTensorType) read_type(type.bytes(), info);
      }
    }
    return info;
  }

  void read_type(std::string_view bytes, OnnxInfo& info) const {
    for (WireReader field(bytes, name_); field.next();) {
      if (field.number() == onnx_info::kElementType) info.type = field.integer();
      if (field.number() != onnx_info::kShape) continue;
      info.sizes.emplace();
      for (WireReader shape(field.bytes(), name_); shape.next();) {
        if (shape.number() == onnx_info::kDimension) info.sizes->push_back(read_size(shape.bytes()));
      }
    }
  }

  OnnxSize read_size(std::string_view bytes) const {
    OnnxSize size;
    for (WireReader field(bytes, name_); field.next();) {
      if (field.number() == onnx_info::kSize) size.size = field.integer();
      if (field.number() == onnx_info::kSizeName) size.name = field.text();
    }
    return size;
  }

  const std::string& name_;
  OnnxModel model_;
};

}  // namespace

OnnxModel read_onnx_model(std::string_view bytes, const std::string& name) {
  return ModelReader(name).read(bytes);
}

std::string quoted_name(std::string_view name) {
  constexpr size_t kMost = 100;  // bytes: enough to find it by, and short enough for a line
  const bool whole = name.size() <= kMost;
  return "'" + std::string(name.substr(0, kMost)) + (whole ? "'" : "...'");
}

}  // namespace espalier::runtime
