#include "runtime/package.h"

#include <cmath>
#include <map>
#include <utility>

#include "core/error.h"
#include "runtime/family_parts_internal.h"
#include "runtime/package_internal.h"

namespace espalier::runtime {
namespace {

Json to_json(const Dims& dims) {
  return Json(std::vector<int64_t>(dims.begin(), dims.end()));
}

/// JSON has no word for numbers that are not finite.
Json to_json(double value) {
  if (std::isfinite(value)) return value;
  return {{"number", std::isnan(value) ? "nan" : value > 0 ? "inf" : "-inf"}};
}

Json to_json(const AttributeValue& value) {
  return std::visit(
      [](const auto& held) -> Json {
        using T = std::decay_t<decltype(held)>;
        if constexpr (std::is_same_v<T, std::monostate>)
          return nullptr;
        else if constexpr (std::is_same_v<T, double>)
          return to_json(held);
        else
          return held;
      },
      value);
}

/// Type, shape and, where it is not row-major, layout.
Json type_json(const Tensor& type) {
  Json json{{"dtype", to_string(type.dtype())}, {"shape", to_json(type.shape())}};
  if (is_dense(type.shape(), type.strides()) && !type.is_contiguous())
    json["strides"] = to_json(type.strides());
  return json;
}

Json node_json(const Graph& graph, const Node& node) {
  Json json{{"node", node.operation->name()}, {"inputs", node.inputs}};
  for (const Attribute& attribute : attributes_of(*node.operation))
    json["attributes"][attribute.name] = to_json(attribute.value);
  for (const ValueId id : node.outputs) {
    const Tensor& type = graph.value(id).type;
    json["outputs"].push_back({{"dtype", to_string(type.dtype())}, {"shape", to_json(type.shape())}});
  }
  if (node.marks.again) json["again"] = true;
  if (node.marks.part >= 0) json["part"] = node.marks.part;
  return json;
}

/// Inputs, states and constants as they come, each node where its first output stands. What holds elements
/// has them in `tensors` by its name, which constants that `first`, the first corner, has likewise share.
Json values_json(const Graph& graph, const Graph& first, size_t corner,
                 std::map<std::string, Tensor>& tensors) {
  Json values = Json::array();
  size_t node = 0;
  for (ValueId id = 0; static_cast<size_t>(id) < graph.values().size(); ++id) {
    const Value& value = graph.value(id);
    if (value.origin == Value::Origin::node) {
      if (node == graph.nodes().size() || graph.nodes()[node].outputs[0] != id) continue;
      values.push_back(node_json(graph, graph.nodes()[node++]));
      continue;
    }
    Json json = type_json(value.type);
    if (value.origin == Value::Origin::input) {
      json["input"] = value.name;
    } else if (value.origin == Value::Origin::state) {
      if (value.name.starts_with('#'))
        throw ValueError("state '" + value.name + "'", "names with a # are those of constants");
      json["state"] = value.name;
      tensors.emplace(value.name, value.tensor);
    } else {
      std::string name = graph.name_of(id);
      if (!same_constant(value.tensor, first.value(id).tensor)) name += '.' + std::to_string(corner);
      json["constant"] = name;
      tensors.emplace(std::move(name), value.tensor);
    }
    values.push_back(std::move(json));
  }
  return values;
}

Json to_json(const std::vector<StateUpdate>& updates) {
  Json json = Json::array();
  for (const StateUpdate& update : updates) json.push_back({update.state, update.value});
  return json;
}

Json to_json(const std::vector<FreeAxis>& axes) {
  Json json = Json::array();
  for (const FreeAxis& axis : axes)
    json.push_back({{"name", axis.name}, {"input", axis.input}, {"axis", axis.axis}});
  return json;
}

Package package_of(io::Safetensors file, const std::string& name) {
  try {
    GraphFamily graphs = read_graphs(file);
    file.metadata.erase("format");
    file.metadata.erase("graph");
    return {std::move(graphs), std::move(file.metadata)};
  } catch (const nlohmann::json::exception&) {
    throw FormatError(name, "is no graph, or damaged: the JSON of its metadata lacks something");
  } catch (const std::exception& error) {
    throw FormatError(name, std::string("is no graph that can be read: ") + error.what());
  }
}

}  // namespace

void save_package(const std::filesystem::path& path, const GraphFamily& graphs,
                  const std::map<std::string, std::string>& notes) {
  // Single graphs may hold what is in no list; families do not.
  std::vector<Graph> corners = graphs.corners();
  for (Graph& corner : corners) corner.compact();
  const Graph& first = corners.front();
  std::map<std::string, Tensor> tensors;
  std::vector<Json> values;
  for (size_t corner = 0; corner < corners.size(); ++corner)
    values.push_back(values_json(corners[corner], first, corner, tensors));
  Json json{{"version", graphs.axes().empty() ? kGraphVersion : kFamilyVersion}};
  if (!graphs.axes().empty()) json["axes"] = to_json(graphs.axes());
  json["values"] = by_corner(values);
  json["outputs"] = first.outputs();
  json["updates"] = to_json(first.updates());
  json["gradients"] = to_json(first.gradients());
  std::string text;
  try {
    text = json.dump();
  } catch (const nlohmann::json::exception&) {
    throw ValueError(path.string(), "the name of an input or state is not valid UTF-8");
  }
  std::map<std::string, std::string> metadata = notes;
  for (const auto& [key, value] : {std::pair(std::string("format"), std::string(kPackageFormat)),
                                   std::pair(std::string("graph"), text)}) {
    if (!metadata.emplace(key, value).second)
      throw ValueError(path.string(), "a note is named '" + key + "', as the package's own metadata");
  }
  io::save_safetensors(path, tensors, metadata);
}

Package load_package(const std::filesystem::path& path) {
  return package_of(io::load_safetensors(path), path.string());
}

Package parse_package(std::span<const unsigned char> bytes, const std::string& name) {
  return package_of(io::parse_safetensors(bytes, name), name);
}

}  // namespace espalier::runtime
