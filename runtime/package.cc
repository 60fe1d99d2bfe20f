#include "runtime/package.h"

#include <cmath>
#include <limits>
#include <map>
#include <set>
#include <stdexcept>
#include <utility>

#include <nlohmann/json.hpp>

#include "core/create.h"
#include "core/error.h"
#include "io/safetensors.h"
#include "ops/copy.h"
#include "ops/operations.h"

namespace espalier::runtime {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::string_view kFormat = "espalier graph";
constexpr int64_t kVersion = 1;

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
  if (node.again) json["again"] = true;
  return json;
}

Json to_json(const std::vector<StateUpdate>& updates) {
  Json json = Json::array();
  for (const StateUpdate& update : updates) json.push_back({update.state, update.value});
  return json;
}

[[noreturn]] void refuse(const std::string& why) {
  throw std::invalid_argument(why);
}

int64_t whole(const Json& json) {
  if (json.is_number_integer() && (!json.is_number_unsigned() || json.get<uint64_t>() <= INT64_MAX))
    return json.get<int64_t>();
  refuse("'" + json.dump() + "' is no whole number of 64 bits");
}

ValueId id_from(const Json& json) {
  const int64_t id = whole(json);
  if (id < kAbsent || id > std::numeric_limits<ValueId>::max()) refuse("there is no value " + json.dump());
  return static_cast<ValueId>(id);
}

std::vector<int64_t> wholes_from(const Json& json) {
  std::vector<int64_t> values;
  for (const Json& entry : json) values.push_back(whole(entry));
  return values;
}

Dims dims_from(const Json& json) {
  return Dims(std::span<const int64_t>(wholes_from(json)));
}

Dtype dtype_from(const Json& json) {
  for (int i = 0; i < kDtypeCount; ++i) {
    if (json.get<std::string>() == to_string(static_cast<Dtype>(i))) return static_cast<Dtype>(i);
  }
  refuse("'" + json.get<std::string>() + "' is no type of elements");
}

AttributeValue attribute_from(const Json& json) {
  if (json.is_null()) return {};
  if (json.is_boolean()) return json.get<bool>();
  if (json.is_number_integer()) return whole(json);
  if (json.is_number_float()) return json.get<double>();
  if (json.is_string()) return json.get<std::string>();
  if (json.is_array()) return wholes_from(json);
  const auto word = json.at("number").get<std::string>();
  if (word == "nan") return std::numeric_limits<double>::quiet_NaN();
  if (word == "inf") return std::numeric_limits<double>::infinity();
  if (word == "-inf") return -std::numeric_limits<double>::infinity();
  refuse("'" + word + "' is no number");
}

/// The strides that stand in the file, or row-major ones. What is not dense would reach outside its memory.
Strides strides_from(const Json& json, const Shape& shape) {
  if (!json.contains("strides")) return contiguous_strides(shape);
  const Strides strides = dims_from(json.at("strides"));
  if (strides.rank() != shape.rank() || !is_dense(shape, strides))
    refuse("strides " + to_string(strides) + " are not those of a dense tensor " + to_string(shape));
  return strides;
}

class Reader {
 public:
  explicit Reader(const io::Safetensors& file) : file_(file) {}

  Graph read() {
    const auto format = file_.metadata.find("format");
    if (format == file_.metadata.end() || format->second != kFormat)
      refuse("has no metadata 'format: " + std::string(kFormat) + "'");
    const auto text = file_.metadata.find("graph");
    if (text == file_.metadata.end()) refuse("has no metadata 'graph'");
    const Json json = Json::parse(text->second);
    const int64_t version = whole(json.at("version"));
    if (version < 1 || version > kVersion) {
      refuse("has version " + std::to_string(version) + "; this program reads up to " +
             std::to_string(kVersion));
    }
    for (const Json& value : json.at("values")) read_value(value);
    std::vector<ValueId> outputs;
    for (const Json& id : json.at("outputs")) outputs.push_back(id_from(id));
    graph_.set_outputs(std::move(outputs));
    for (const Json& pair : json.at("updates")) graph_.update_state(id_from(pair.at(0)), id_from(pair.at(1)));
    for (const Json& pair : json.at("gradients"))
      graph_.set_gradient(id_from(pair.at(0)), id_from(pair.at(1)));
    return std::move(graph_);
  }

 private:
  void read_value(const Json& json) {
    if (json.contains("node")) return read_node(json);
    const Shape shape = dims_from(json.at("shape"));
    const Dtype dtype = dtype_from(json.at("dtype"));
    checked_count(shape, "shape");
    const Strides strides = strides_from(json, shape);
    if (json.contains("input")) {
      graph_.add_input(unused_name(json.at("input").get<std::string>()),
                       empty_strided(shape, strides, dtype, kMeta));
    } else if (json.contains("state")) {
      const auto name = unused_name(json.at("state").get<std::string>());
      graph_.add_state(name, elements(name, shape, strides, dtype));
    } else {
      graph_.add_constant(elements(json.at("constant").get<std::string>(), shape, strides, dtype));
    }
  }

  std::string unused_name(std::string name) {
    if (!names_.insert(name).second) refuse("there are two values '" + name + "'");
    return name;
  }

  Tensor elements(const std::string& name, const Shape& shape, const Strides& strides, Dtype dtype) {
    const auto found = file_.tensors.find(name);
    if (found == file_.tensors.end()) refuse("has no tensor '" + name + "'");
    const Tensor& tensor = found->second;
    if (tensor.shape() != shape || tensor.dtype() != dtype) {
      refuse("tensor '" + name + "' is " + describe(tensor) + "; its graph expects " +
             std::string(to_string(dtype)) + to_string(shape));
    }
    if (tensor.strides() == strides || is_contiguous(shape, strides)) return tensor;
    Tensor arranged = empty_strided(shape, strides, dtype);
    copy_(arranged, tensor);
    return arranged;
  }

  void read_node(const Json& json) {
    const auto name = json.at("node").get<std::string>();
    const std::string where = "node " + std::to_string(graph_.nodes().size()) + " (" + name + ")";
    try {
      Attributes attributes;
      if (json.contains("attributes")) {
        for (const auto& [key, value] : json.at("attributes").items())
          attributes.push_back({key, attribute_from(value)});
      }
      std::vector<ValueId> inputs;
      for (const Json& id : json.at("inputs")) inputs.push_back(id_from(id));
      const ValueIds made = graph_.add(std::shared_ptr(make_operation(name, attributes, inputs.size())),
                                       inputs, json.value("again", false));
      const Json& outputs = json.at("outputs");
      if (outputs.size() != made.size())
        refuse("puts out " + std::to_string(made.size()) + " values, not " + std::to_string(outputs.size()));
      for (size_t i = 0; i < made.size(); ++i) {
        const Tensor& type = graph_.value(made[i]).type;
        if (type.dtype() != dtype_from(outputs[i].at("dtype")) ||
            type.shape() != dims_from(outputs[i].at("shape")))
          refuse("puts out " + type_text(type) + ", not " + outputs[i].dump());
      }
    } catch (const std::exception& error) {
      refuse(where + ": " + error.what());
    }
  }

  const io::Safetensors& file_;
  Graph graph_;
  std::set<std::string> names_;
};

Package package_of(io::Safetensors file, const std::string& name) {
  try {
    Graph graph = Reader(file).read();
    file.metadata.erase("format");
    file.metadata.erase("graph");
    return {std::move(graph), std::move(file.metadata)};
  } catch (const nlohmann::json::exception&) {
    throw FormatError(name, "is no graph, or damaged: the JSON of its metadata lacks something");
  } catch (const std::exception& error) {
    throw FormatError(name, std::string("is no graph that can be read: ") + error.what());
  }
}

}  // namespace

void save_package(const std::filesystem::path& path, const Graph& graph,
                  const std::map<std::string, std::string>& notes) {
  Graph compact = graph;
  compact.compact();
  std::map<std::string, Tensor> tensors;
  Json values = Json::array();
  size_t node = 0;
  for (ValueId id = 0; static_cast<size_t>(id) < compact.values().size(); ++id) {
    const Value& value = compact.value(id);
    if (value.origin == Value::Origin::node) {
      // The nodes stand where their first outputs do.
      if (node == compact.nodes().size() || compact.nodes()[node].outputs[0] != id) continue;
      values.push_back(node_json(compact, compact.nodes()[node++]));
      continue;
    }
    Json json = type_json(value.type);
    if (value.origin == Value::Origin::input) {
      json["input"] = value.name;
    } else {
      const bool is_state = value.origin == Value::Origin::state;
      if (is_state && value.name.starts_with('#'))
        throw ValueError(path.string(), "state '" + value.name + "': names with a # are those of constants");
      const std::string name = is_state ? value.name : compact.name_of(id);
      json[is_state ? "state" : "constant"] = name;
      tensors.emplace(name, value.tensor);
    }
    values.push_back(std::move(json));
  }
  const Json json{{"version", kVersion},
                  {"values", std::move(values)},
                  {"outputs", compact.outputs()},
                  {"updates", to_json(compact.updates())},
                  {"gradients", to_json(compact.gradients())}};
  std::string text;
  try {
    text = json.dump();
  } catch (const nlohmann::json::exception&) {
    throw ValueError(path.string(), "the name of an input or state is not valid UTF-8");
  }
  std::map<std::string, std::string> metadata = notes;
  for (const auto& [key, value] :
       {std::pair(std::string("format"), std::string(kFormat)), std::pair(std::string("graph"), text)}) {
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
