#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "core/tensor.h"
#include "io/wire_format.h"
#include "ops/copy.h"
#include "runtime/onnx_format_internal.h"

namespace espalier::test {

/// A message, filled by a function of its writer.
template <class Fill>
std::string wire_message(const Fill& fill) {
  std::string bytes;
  io::WireWriter to(bytes);
  fill(to);
  return bytes;
}

/// TensorProto with these elements in raw_data.
inline std::string onnx_tensor_message(const std::string& name, int64_t type, const Tensor& elements) {
  using namespace runtime::onnx_tensor;
  const Tensor rows = contiguous(elements);
  return wire_message([&](io::WireWriter& to) {
    for (const int64_t size : rows.shape()) to.integer(kSize, size);
    to.integer(kType, type);
    to.bytes(kName, name);
    to.bytes(kRaw, {static_cast<const char*>(rows.raw_data()),
                    static_cast<size_t>(rows.numel()) * size_of(rows.dtype())});
  });
}

/// Puts an ONNX model together, part by part; whether it is one is for who reads it to say.
class OnnxBuilder {
 public:
  using Attribute = std::pair<std::string, std::variant<int64_t, float, std::string, std::vector<int64_t>>>;
  /// A size, or the name of one.
  using Size = std::variant<int64_t, std::string>;
  static constexpr int64_t kF32 = 1, kI64 = 7;

  OnnxBuilder& input(const std::string& name, const std::vector<Size>& sizes, int64_t type = kF32) {
    return add(runtime::onnx_graph::kInput, info(name, sizes, type));
  }
  OnnxBuilder& output(const std::string& name, int64_t type = kF32) {
    return add(runtime::onnx_graph::kOutput, info(name, {}, type));
  }
  OnnxBuilder& tensor(const std::string& name, const Tensor& elements) {
    return tensor(onnx_tensor_message(name, elements.dtype() == Dtype::f32 ? kF32 : kI64, elements));
  }
  OnnxBuilder& tensor(const std::string& message) { return add(runtime::onnx_graph::kInitializer, message); }

  OnnxBuilder& node(const std::string& type, const std::vector<std::string>& inputs,
                    const std::vector<std::string>& outputs, const std::vector<Attribute>& attributes = {},
                    const std::string& domain = {}) {
    using namespace runtime::onnx_node;
    return add(runtime::onnx_graph::kNode, wire_message([&](io::WireWriter& to) {
                 for (const std::string& input : inputs) to.bytes(kInput, input);
                 for (const std::string& output : outputs) to.bytes(kOutput, output);
                 to.bytes(kName, "the " + type);
                 to.bytes(kType, type);
                 if (!domain.empty()) to.bytes(kDomain, domain);
                 for (const Attribute& one : attributes) to.bytes(kAttribute, attribute(one));
               }));
  }

  std::string bytes(int64_t operators = 17, int64_t ir = 8) const {
    using namespace runtime::onnx_model;
    return wire_message([&](io::WireWriter& to) {
      to.integer(kIrVersion, ir);
      to.message(kOperators, [&] { to.integer(runtime::onnx_operators::kVersion, operators); });
      to.bytes(kGraph, graph_);
    });
  }

 private:
  OnnxBuilder& add(unsigned field, const std::string& message) {
    io::WireWriter(graph_).bytes(field, message);
    return *this;
  }

  static std::string info(const std::string& name, const std::vector<Size>& sizes, int64_t type) {
    using namespace runtime::onnx_info;
    return wire_message([&](io::WireWriter& to) {
      to.bytes(kName, name);
      to.message(kType, [&] {
        to.message(kTensorType, [&] {
          to.integer(kElementType, type);
          to.message(kShape, [&] {
            for (const Size& size : sizes) {
              to.message(kDimension, [&] {
                if (const auto* whole = std::get_if<int64_t>(&size)) to.integer(kSize, *whole);
                if (const auto* text = std::get_if<std::string>(&size)) to.bytes(kSizeName, *text);
              });
            }
          });
        });
      });
    });
  }

  static std::string attribute(const Attribute& one) {
    using namespace runtime::onnx_attribute;
    return wire_message([&](io::WireWriter& to) {
      to.bytes(kName, one.first);
      if (const auto* whole = std::get_if<int64_t>(&one.second)) {
        to.integer(kInteger, *whole);
        to.integer(kType, kIntegerType);
      } else if (const auto* number = std::get_if<float>(&one.second)) {
        to.f32(kFloat, *number);
        to.integer(kType, kFloatType);
      } else if (const auto* text = std::get_if<std::string>(&one.second)) {
        to.bytes(kString, *text);
        to.integer(kType, kStringType);
      } else {
        for (const int64_t entry : std::get<std::vector<int64_t>>(one.second)) to.integer(kIntegers, entry);
        to.integer(kType, kIntegersType);
      }
    });
  }

  std::string graph_;
};

}  // namespace espalier::test
