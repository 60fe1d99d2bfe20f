#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <utility>

#include "core/error.h"
#include "io/mapped_file.h"
#include "runtime/capture.h"
#include "runtime/onnx.h"
#include "runtime/onnx_format_internal.h"
#include "runtime/onnx_reading_internal.h"
#include "runtime/passes.h"

namespace espalier::runtime {
namespace {

bool is_standard(const OnnxNode& node) {
  return node.domain.empty() || node.domain == "ai.onnx";
}

/// The function for an operator; null where there is none.
OnnxRead onnx_reader(const OnnxNode& node) {
  const std::array groups = {elementwise_onnx_readers, shape_onnx_readers, part_onnx_readers,
                             reduction_onnx_readers, layer_onnx_readers};
  for (const auto group : groups) {
    const auto found = group().find(node.type);
    if (is_standard(node) && found != group().end()) return found->second;
  }
  return nullptr;
}

/// A model that becomes a graph, by computing what its nodes say while a capture listens: what depends on its
/// inputs and states is recorded, and all else, shapes most of all, is known when it is needed.
class Import {
 public:
  Import(OnnxModel model, std::string name, std::optional<std::filesystem::path> folder)
      : model_(std::move(model)), name_(std::move(name)), elements_(std::move(folder)) {}

  std::map<std::string, Tensor> tensors() {
    std::map<std::string, Tensor> all;
    for (const OnnxTensor& tensor : model_.initializers) {
      add_fixed(tensor.name, tensor);
      all[tensor.name] = values_.at(tensor.name).tensor;
    }
    return all;
  }

  /// The graph at the sizes of `options`; those of several calls share their states.
  Graph run(const OnnxOptions& options) {
    if (values_.empty()) read_fixed();
    values_ = fixed_;
    options_ = options;
    free_names_.clear();
    batch_axes_.clear();
    std::vector<std::string> names;
    std::vector<Tensor> examples;
    for (const OnnxInfo& input : model_.inputs) {
      const auto fixed = values_.find(input.name);  // an initializer, which older versions list as well
      if (fixed != values_.end() && fixed->second.tensor.defined()) continue;
      examples.push_back(example(input, static_cast<int>(names.size())));
      names.push_back(input.name);
      at_place("input " + quoted_name(input.name), [&] { add(input.name, {}); });
    }
    check_sizes();
    // Nodes that nothing reads: the model's own, and views of whole tensors.
    Graph graph =
        remove_dead_nodes(capture([&](Inputs given) { return compute(names, given); }, examples, state_));
    graph.drop_unused(names.size());
    graph.name_inputs(std::move(names));
    return graph;
  }

  /// The axes that had the size OnnxOptions::batch in the last run.
  const std::vector<FreeAxis>& batch_axes() const { return batch_axes_; }

 private:
  [[noreturn]] void fail(const std::string& why) const { throw FormatError(name_, why); }

  /// Runs `f`; its errors become those of the file, at `place`.
  template <class F>
  void at_place(const std::string& place, F&& f) const {
    try {
      f();
    } catch (const IoError&) {
      throw;
    } catch (const MemoryError&) {
      throw;
    } catch (const Error& error) {
      fail(place + ": " + (error.where() == kOnnx ? error.message() : error.what()));
    }
  }

  void add(const std::string& name, OnnxInput value) {
    if (name.empty()) throw ValueError(kOnnx, "has no name");
    if (!values_.emplace(name, std::move(value)).second)
      throw ValueError(kOnnx, quoted_name(name) + " is the name of something before it");
  }

  /// The tensor that a Constant holds; null for other nodes and values.
  static const OnnxTensor* tensor_of(const OnnxNode& node) {
    if (node.type != "Constant" || !is_standard(node) || node.outputs.size() != 1) return nullptr;
    const auto value = node.attributes.find("value");
    return value == node.attributes.end() ? nullptr : std::get_if<OnnxTensor>(&value->second);
  }

  void read_fixed() {
    for (const OnnxTensor& tensor : model_.initializers) add_fixed(tensor.name, tensor);
    for (const OnnxNode& node : model_.nodes) {
      if (const OnnxTensor* tensor = tensor_of(node)) add_fixed(node.outputs[0], *tensor);
    }
    fixed_ = values_;
  }

  /// Adds a tensor of the model: a state where it may be a weight, which is floating and no single number.
  void add_fixed(const std::string& name, const OnnxTensor& described) {
    at_place("tensor " + quoted_name(name), [&] {
      const Tensor tensor = elements_.read(described);
      add(name, {.tensor = tensor, .known = tensor.detach()});
      // The writer's and a package's names for constants begin so.
      const bool named = !name.starts_with('%') && !name.starts_with('#');
      if (named && is_floating(tensor.dtype()) && tensor.rank() > 0) state_.add(name, tensor);
    });
  }

  Tensor example(const OnnxInfo& input, int number) {
    const std::string place = "input " + quoted_name(input.name);
    if (input.type == 0 || !input.sizes) fail(place + ": is no tensor of a known rank");
    std::vector<int64_t> sizes;
    for (size_t i = 0; i < input.sizes->size(); ++i)
      sizes.push_back(size_of_axis(input.name, number, i, (*input.sizes)[i]));
    Tensor tensor;
    at_place(place, [&] { tensor = empty(dims_of(sizes), dtype_of_onnx(input.type), kMeta); });
    return tensor;
  }

  int64_t size_of_axis(const std::string& input, int number, size_t axis, const OnnxSize& size) {
    if (size.size) return *size.size;
    const std::string name = size.name.empty() ? input + '[' + std::to_string(axis) + ']' : size.name;
    free_names_.insert(name);
    const auto given = options_.sizes.find(name);
    if (given != options_.sizes.end()) return given->second;
    if (axis == 0 && options_.batch) {
      batch_axes_.push_back({std::string(kOnnxBatch), number, 0});
      return *options_.batch;
    }
    throw ValueError(name_, "axis " + std::to_string(axis) + " of input " + quoted_name(input) +
                                " has no size but a name, " + quoted_name(name) +
                                "; give its size by that name (OnnxOptions::sizes; --size of the program)");
  }

  void check_sizes() const {
    for (const auto& [name, size] : options_.sizes) {
      if (free_names_.contains(name)) continue;
      std::string known;
      for (const std::string& free : free_names_) known += (known.empty() ? "" : ", ") + quoted_name(free);
      throw ValueError(name_, "has no free axis " + quoted_name(name) +
                                  (known.empty() ? "; all its sizes are fixed" : "; there are " + known));
    }
  }

  std::vector<Tensor> compute(const std::vector<std::string>& names, Inputs given) {
    const NoGrad no_grad;
    OnnxBudget budget(options_.most_computed);
    const ListenerScope scope(ListenerSlot::checker, &budget);
    for (size_t i = 0; i < names.size(); ++i) values_[names[i]] = {.tensor = given[i], .known = {}};
    for (size_t i = 0; i < model_.nodes.size(); ++i) {
      const OnnxNode& node = model_.nodes[i];
      if (tensor_of(node)) continue;
      at_place("node " + std::to_string(i) + ", " + node.type + ' ' + quoted_name(node.name),
               [&] { compute(node, budget); });
    }
    std::vector<Tensor> outputs;
    for (const OnnxInfo& output : model_.outputs)
      at_place("output " + quoted_name(output.name), [&] { outputs.push_back(output_of(output)); });
    if (outputs.empty()) fail("puts nothing out");
    return outputs;
  }

  const OnnxInput& value(const std::string& name) const {
    const auto found = values_.find(name);
    if (found == values_.end())
      throw ValueError(kOnnx, "reads " + quoted_name(name) + ", which nothing before it makes");
    return found->second;
  }

  void compute(const OnnxNode& node, OnnxBudget& budget) {
    const OnnxRead read = onnx_reader(node);
    if (!read)
      throw ValueError(kOnnx, "is an operator that is not known, of domain " + quoted_name(node.domain));
    std::vector<OnnxInput> inputs;
    for (const std::string& name : node.inputs) inputs.push_back(name.empty() ? OnnxInput() : value(name));
    OnnxReading reading(node, std::move(inputs), elements_, budget);
    const Tensors made = read(reading);
    reading.finish();
    for (size_t i = 0; i < std::min(made.size(), node.outputs.size()); ++i) {
      const Tensor known = made[i].device() == kMeta ? Tensor() : made[i];
      if (!node.outputs[i].empty()) add(node.outputs[i], {.tensor = made[i], .known = known});
    }
  }

  Tensor output_of(const OnnxInfo& output) const {
    const Tensor& tensor = value(output.name).tensor;
    if (output.type != 0 && dtype_of_onnx(output.type) != tensor.dtype()) {
      throw ValueError(kOnnx, "is said to be of " + std::string(to_string(dtype_of_onnx(output.type))) +
                                  ", but is " + type_text(tensor));
    }
    return tensor;
  }

  OnnxModel model_;
  std::string name_;
  OnnxOptions options_;
  OnnxElements elements_;
  std::map<std::string, OnnxInput> fixed_;  ///< tensors of the model
  std::map<std::string, OnnxInput> values_;
  std::set<std::string> free_names_;
  std::vector<FreeAxis> batch_axes_;
  State state_;
};

/// A model's file, open.
struct OnnxFile {
  explicit OnnxFile(const std::filesystem::path& path)
      : bytes(make_ref<io::MappedFile>(path)),
        name(path.string()),
        folder(path.has_parent_path() ? path.parent_path() : ".") {}

  OnnxModel model() const {
    return read_onnx_model({reinterpret_cast<const char*>(bytes->data()), bytes->size()}, name);
  }

  Ref<io::MappedFile> bytes;
  std::string name;
  std::filesystem::path folder;
};

}  // namespace

Graph load_onnx(const std::filesystem::path& path, const OnnxOptions& options) {
  const OnnxFile file(path);
  return Import(file.model(), file.name, file.folder).run(options);
}

GraphFamily load_onnx_family(const std::filesystem::path& path, OnnxOptions options) {
  const OnnxFile file(path);
  Import import(file.model(), file.name, file.folder);
  constexpr int64_t kExample = 4;  // 3 and 2 beside it are no special sizes, either
  const auto graph_of = [&](const Sizes& sizes) {
    options.batch = sizes.at(std::string(kOnnxBatch));
    return import.run(options);
  };
  const Sizes example = {{std::string(kOnnxBatch), kExample}};
  Graph graph = graph_of(example);
  const std::vector<FreeAxis> axes = import.batch_axes();
  return axes.empty() ? GraphFamily(std::move(graph)) : GraphFamily::of(graph_of, axes, example);
}

Graph parse_onnx(std::span<const unsigned char> bytes, const OnnxOptions& options, const std::string& name) {
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  return Import(read_onnx_model(text, name), name, std::nullopt).run(options);
}

std::map<std::string, Tensor> load_onnx_tensors(const std::filesystem::path& path) {
  const OnnxFile file(path);
  return Import(file.model(), file.name, file.folder).tensors();
}

}  // namespace espalier::runtime
