#include <algorithm>

#include "core/error.h"
#include "io/wire_format.h"
#include "ops/copy.h"
#include "runtime/onnx_writer_internal.h"

namespace espalier::runtime {
namespace {

template <class Fill>
std::string message_of_fields(const Fill& fill) {
  std::string bytes;
  io::WireWriter writer(bytes);
  fill(writer);
  return bytes;
}

/// ValueInfoProto of a tensor.
std::string value_info(const std::string& name, const Tensor& type) {
  return message_of_fields([&](io::WireWriter& info) {
    using namespace onnx_info;
    info.bytes(kName, name);
    info.message(kType, [&] {
      info.message(kTensorType, [&] {
        info.integer(kElementType, onnx_type(type.dtype()));
        info.message(kShape, [&] {
          for (const int64_t size : type.shape())
            info.message(kDimension, [&] { info.integer(kSize, size); });
        });
      });
    });
  });
}

std::string attribute_message(const OnnxAttribute& attribute) {
  return message_of_fields([&](io::WireWriter& to) {
    using namespace onnx_attribute;
    to.bytes(kName, attribute.name);
    if (const auto* number = std::get_if<float>(&attribute.value)) {
      to.f32(kFloat, *number);
      to.integer(kType, kFloatType);
    } else if (const auto* whole = std::get_if<int64_t>(&attribute.value)) {
      to.integer(kInteger, *whole);
      to.integer(kType, kIntegerType);
    } else {
      for (const int64_t value : std::get<std::vector<int64_t>>(attribute.value))
        to.integer(kIntegers, value);
      to.integer(kType, kIntegersType);
    }
  });
}

}  // namespace

OnnxWriter::OnnxWriter(const Graph& graph, bool trial)
    : graph_(graph), trial_(trial), names_(graph.values().size()) {
  for (const ValueId id : graph.inputs()) names_[static_cast<size_t>(id)] = graph.value(id).name;
}

std::string OnnxWriter::name_of(ValueId id) {
  if (id == kAbsent) return {};
  std::string& name = names_[static_cast<size_t>(id)];
  if (!name.empty()) return name;
  const Value& value = graph_.value(id);
  name = value.origin == Value::Origin::state ? value.name : "%" + std::to_string(id);
  if (value.origin == Value::Origin::state || value.origin == Value::Origin::constant)
    initializer(value.tensor, name);
  return name;
}

std::string OnnxWriter::initializer(const Tensor& tensor, const std::string& name) {
  const std::string own = name.empty() ? new_name() : name;
  if (trial_) return own;
  const Tensor elements = contiguous(tensor.detach());
  io::WireWriter to(initializers_);
  to.bytes(onnx_graph::kInitializer, message_of_fields([&](io::WireWriter& proto) {
             using namespace onnx_tensor;
             for (const int64_t size : elements.shape()) proto.integer(kSize, size);
             proto.integer(kType, onnx_type(elements.dtype()));
             proto.bytes(kName, own);
             proto.bytes(kRaw, {static_cast<const char*>(elements.raw_data()),
                                static_cast<size_t>(elements.numel()) * size_of(elements.dtype())});
           }));
  return own;
}

std::string OnnxWriter::numbers(const std::vector<int64_t>& values) {
  return initializer(from_values(values, {static_cast<int64_t>(values.size())}));
}

void OnnxWriter::add(std::string_view type, const std::vector<std::string>& inputs,
                     const std::vector<std::string>& outputs, const std::vector<OnnxAttribute>& attributes) {
  io::WireWriter to(nodes_);
  to.bytes(onnx_graph::kNode, message_of_fields([&](io::WireWriter& node) {
             using namespace onnx_node;
             for (const std::string& input : inputs) node.bytes(kInput, input);
             for (const std::string& output : outputs) node.bytes(kOutput, output);
             node.bytes(kType, type);
             for (const OnnxAttribute& attribute : attributes)
               node.bytes(kAttribute, attribute_message(attribute));
           }));
}

std::string OnnxWriter::compute(std::string_view type, const std::vector<std::string>& inputs,
                                const std::vector<OnnxAttribute>& attributes) {
  std::string output = new_name();
  add(type, inputs, {output}, attributes);
  return output;
}

std::string OnnxWriter::finish() {
  std::string infos;
  io::WireWriter to(infos);
  for (const ValueId id : graph_.inputs())
    to.bytes(onnx_graph::kInput, value_info(graph_.value(id).name, graph_.value(id).type));
  for (size_t i = 0; i < graph_.outputs().size(); ++i) {
    const std::string name = "output" + std::to_string(i);
    if (std::find(names_.begin(), names_.end(), name) != names_.end())
      throw ValueError(kOnnx, "an input or a state is called " + name + ", as an output is; rename it");
    add("Identity", {name_of(graph_.outputs()[i])}, {name});  // two outputs may be one value
    to.bytes(onnx_graph::kOutput, value_info(name, graph_.value(graph_.outputs()[i]).type));
  }
  constexpr size_t kMost = (size_t{1} << 31) - 4096;  // protobuf's limit of a message
  if (nodes_.size() + initializers_.size() + infos.size() > kMost)
    throw ValueError(kOnnx, "a file holds 2 GiB at most; this model would take more");
  return message_of_fields([&](io::WireWriter& model) {
    using namespace onnx_model;
    model.integer(kIrVersion, kOnnxIrVersion);
    model.bytes(kProducer, "espalier");
    const std::string name =
        message_of_fields([](io::WireWriter& graph) { graph.bytes(onnx_graph::kName, "graph"); });
    model.bytes(kGraph, nodes_ + name + initializers_ + infos);
    model.bytes(kOperators, message_of_fields([](io::WireWriter& operators) {
                  operators.bytes(onnx_operators::kDomain, "");
                  operators.integer(onnx_operators::kVersion, kOnnxOperators);
                }));
  });
}

}  // namespace espalier::runtime
