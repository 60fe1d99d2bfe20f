#include <algorithm>

#include "core/error.h"
#include "io/wire_format.h"
#include "ops/copy.h"
#include "runtime/onnx_writer_internal.h"

namespace espalier::runtime {
namespace {

constexpr int64_t kIrVersion = 8, kOperators = 17;

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
    info.bytes(1, name);
    info.message(2, [&] {    // TypeProto
      info.message(1, [&] {  // its tensor_type
        info.integer(1, onnx_type(type.dtype()));
        info.message(2, [&] {  // shape
          for (const int64_t size : type.shape()) info.message(1, [&] { info.integer(1, size); });
        });
      });
    });
  });
}

std::string attribute_message(const OnnxAttribute& attribute) {
  return message_of_fields([&](io::WireWriter& to) {
    constexpr int kFloat = 1, kInt = 2, kInts = 7;  // AttributeProto.AttributeType
    to.bytes(1, attribute.name);
    if (const auto* number = std::get_if<float>(&attribute.value)) {
      to.f32(2, *number);
      to.integer(20, kFloat);
    } else if (const auto* whole = std::get_if<int64_t>(&attribute.value)) {
      to.integer(3, *whole);
      to.integer(20, kInt);
    } else {
      for (const int64_t value : std::get<std::vector<int64_t>>(attribute.value)) to.integer(8, value);
      to.integer(20, kInts);
    }
  });
}

}  // namespace

int64_t onnx_type(Dtype dtype) {
  switch (dtype) {
    case Dtype::f32:
      return 1;
    case Dtype::u8:
      return 2;
    case Dtype::i8:
      return 3;
    case Dtype::u16:
      return 4;
    case Dtype::i16:
      return 5;
    case Dtype::i32:
      return 6;
    case Dtype::i64:
      return 7;
    case Dtype::boolean:
      return 9;
    case Dtype::f16:
      return 10;
    case Dtype::f64:
      return 11;
    case Dtype::u32:
      return 12;
    case Dtype::u64:
      return 13;
    case Dtype::bf16:
      return 16;
    default:
      throw ValueError("onnx", "has no type " + std::string(to_string(dtype)) + " in operators of version " +
                                   std::to_string(kOperators));
  }
}

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
  to.bytes(5, message_of_fields([&](io::WireWriter& proto) {
             for (const int64_t size : elements.shape()) proto.integer(1, size);
             proto.integer(2, onnx_type(elements.dtype()));
             proto.bytes(8, own);
             proto.bytes(9, {static_cast<const char*>(elements.raw_data()),
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
  to.bytes(1, message_of_fields([&](io::WireWriter& node) {
             for (const std::string& input : inputs) node.bytes(1, input);
             for (const std::string& output : outputs) node.bytes(2, output);
             node.bytes(4, type);
             for (const OnnxAttribute& attribute : attributes) node.bytes(5, attribute_message(attribute));
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
    to.bytes(11, value_info(graph_.value(id).name, graph_.value(id).type));
  for (size_t i = 0; i < graph_.outputs().size(); ++i) {
    const std::string name = "output" + std::to_string(i);
    if (std::find(names_.begin(), names_.end(), name) != names_.end())
      throw ValueError("onnx", "an input or a state is called " + name + ", as an output is; rename it");
    add("Identity", {name_of(graph_.outputs()[i])}, {name});  // two outputs may be one value
    to.bytes(12, value_info(name, graph_.value(graph_.outputs()[i]).type));
  }
  constexpr size_t kMost = (size_t{1} << 31) - 4096;  // protobuf's limit of a message
  if (nodes_.size() + initializers_.size() + infos.size() > kMost)
    throw ValueError("onnx", "a file holds 2 GiB at most; this model would take more");
  return message_of_fields([&](io::WireWriter& model) {
    model.integer(1, kIrVersion);
    model.bytes(2, "espalier");
    model.bytes(7, nodes_ + message_of_fields([](io::WireWriter& name) { name.bytes(2, "graph"); }) +
                       initializers_ + infos);
    model.bytes(8, message_of_fields([](io::WireWriter& operators) {
                  operators.bytes(1, "");
                  operators.integer(2, kOperators);
                }));
  });
}

}  // namespace espalier::runtime
