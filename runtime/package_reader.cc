#include <cmath>
#include <limits>
#include <map>
#include <set>
#include <stdexcept>
#include <string>
#include <utility>

#include "core/create.h"
#include "core/error.h"
#include "ops/copy.h"
#include "ops/operations.h"
#include "runtime/package_internal.h"

namespace espalier::runtime {
namespace {

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

NodeMarks marks_from(const Json& json) {
  NodeMarks marks{.again = json.value("again", false)};
  if (!json.contains("part")) return marks;
  const int64_t part = whole(json.at("part"));
  if (part < 0 || part > std::numeric_limits<int>::max()) refuse("there is no part " + std::to_string(part));
  marks.part = static_cast<int>(part);
  return marks;
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

/// The elements of a file's tensors in the layouts that graphs ask for: one tensor for all corners.
class FileElements {
 public:
  explicit FileElements(const io::Safetensors& file) : file_(file) {}

  Tensor get(const std::string& name, const Shape& shape, const Strides& strides, Dtype dtype) {
    const auto found = file_.tensors.find(name);
    if (found == file_.tensors.end()) refuse("has no tensor '" + name + "'");
    const Tensor& tensor = found->second;
    if (tensor.shape() != shape || tensor.dtype() != dtype) {
      refuse("tensor '" + name + "' is " + describe(tensor) + "; its graph expects " +
             std::string(to_string(dtype)) + to_string(shape));
    }
    if (tensor.strides() == strides || is_contiguous(shape, strides)) return tensor;
    Tensor& arranged = arranged_[name];
    if (!arranged.defined() || arranged.strides() != strides) {
      arranged = empty_strided(shape, strides, dtype);
      copy_(arranged, tensor);
    }
    return arranged;
  }

 private:
  const io::Safetensors& file_;
  std::map<std::string, Tensor> arranged_;
};

/// Reads the graph of one corner.
class Reader {
 public:
  Reader(FileElements& elements, size_t corner, size_t corners)
      : elements_(elements), corner_(corner), corners_(corners) {}

  Graph read(const Json& json) {
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
  void read_value(const Json& value) {
    if (value.contains("node")) return read_node(value);
    const Json json = at_corner(value, corner_, corners_);
    const Shape shape = dims_from(json.at("shape"));
    const Dtype dtype = dtype_from(json.at("dtype"));
    checked_count(shape, "shape");
    const Strides strides = strides_from(json, shape);
    if (json.contains("input")) {
      graph_.add_input(unused_name(json.at("input").get<std::string>()),
                       empty_strided(shape, strides, dtype, kMeta));
    } else if (json.contains("state")) {
      const auto name = unused_name(json.at("state").get<std::string>());
      graph_.add_state(name, elements_.get(name, shape, strides, dtype));
    } else {
      graph_.add_constant(elements_.get(json.at("constant").get<std::string>(), shape, strides, dtype));
    }
  }

  std::string unused_name(std::string name) {
    if (!names_.insert(name).second) refuse("there are two values '" + name + "'");
    return name;
  }

  void read_node(const Json& value) {
    const auto name = value.at("node").get<std::string>();
    const std::string where = "node " + std::to_string(graph_.nodes().size()) + " (" + name + ")" +
                              (corners_ > 1 ? ", corner " + std::to_string(corner_) : "");
    try {
      const Json json = at_corner(value, corner_, corners_);
      Attributes attributes;
      if (json.contains("attributes")) {
        for (const auto& [key, attribute] : json.at("attributes").items())
          attributes.push_back({key, attribute_from(attribute)});
      }
      std::vector<ValueId> inputs;
      for (const Json& id : json.at("inputs")) inputs.push_back(id_from(id));
      const ValueIds made = graph_.add(std::shared_ptr(make_operation(name, attributes, inputs.size())),
                                       inputs, marks_from(json));
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

  FileElements& elements_;
  const size_t corner_, corners_;
  Graph graph_;
  std::set<std::string> names_;
};

std::vector<FreeAxis> axes_from(const Json& json) {
  std::vector<FreeAxis> axes;
  if (!json.contains("axes")) return axes;
  const auto number = [](const Json& place) {
    const int64_t value = whole(place);
    if (value < 0 || value > std::numeric_limits<int>::max())
      refuse("there is no input or axis " + place.dump());
    return static_cast<int>(value);
  };
  for (const Json& axis : json.at("axes"))
    axes.push_back({axis.at("name").get<std::string>(), number(axis.at("input")), number(axis.at("axis"))});
  return axes;
}

/// One corner, or two for each name.
size_t corners_for(const std::vector<FreeAxis>& axes) {
  std::set<std::string> names;
  for (const FreeAxis& axis : axes) names.insert(axis.name);
  if (names.size() > GraphFamily::kMostNames)
    refuse("has " + std::to_string(names.size()) + " names of free axes; expected at most " +
           std::to_string(GraphFamily::kMostNames));
  return size_t{1} << names.size();
}

/// The metadata `graph`.
Json graph_json(const io::Safetensors& file) {
  const auto format = file.metadata.find("format");
  if (format == file.metadata.end() || format->second != kPackageFormat)
    refuse("has no metadata 'format: " + std::string(kPackageFormat) + "'");
  const auto text = file.metadata.find("graph");
  if (text == file.metadata.end()) refuse("has no metadata 'graph'");
  // Twice as deep as what is written. Without a limit, what looks into the JSON could run out of stack.
  constexpr int kDeepest = 16;
  return Json::parse(text->second, [](int depth, Json::parse_event_t, const Json&) {
    if (depth > kDeepest) refuse("its JSON is nested too deeply");
    return true;
  });
}

}  // namespace

GraphFamily read_graphs(const io::Safetensors& file) {
  const Json json = graph_json(file);
  const int64_t version = whole(json.at("version"));
  if (version < 1 || version > kFamilyVersion) {
    refuse("has version " + std::to_string(version) + "; this program reads up to " +
           std::to_string(kFamilyVersion));
  }
  std::vector<FreeAxis> axes = axes_from(json);
  const size_t corners = corners_for(axes);
  FileElements elements(file);
  std::vector<Graph> graphs;
  for (size_t corner = 0; corner < corners; ++corner)
    graphs.push_back(Reader(elements, corner, corners).read(json));
  return GraphFamily::from_corners(std::move(axes), std::move(graphs));
}

}  // namespace espalier::runtime
