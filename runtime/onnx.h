#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "runtime/graph_family.h"

namespace espalier::runtime {

/// A graph as an ONNX model (https://onnx.ai/onnx/repo-docs/IR.html): IR version 8, operators of version 17,
/// weights inside. Inputs keep their names and shapes; states and constants become initializers, states under
/// their names; outputs are output0, output1, ... An operation without a counterpart is taken apart
/// (Operation::decompose). Throws ValueError, with the node, for one that cannot be, for a graph that changes
/// states or leaves gradients, and for more than 2 GiB, which no ONNX file holds.
ESPALIER_API std::string to_onnx(const Graph& graph);

/// The same to a file, whole or not at all (io/atomic_file.h). Throws IoError, too.
///
///   nn::eval(model);
///   runtime::save_onnx(runtime::capture(model, {image}, runtime::State(model)), "model.onnx");
ESPALIER_API void save_onnx(const Graph& graph, const std::filesystem::path& path);

/// How an ONNX model becomes a graph.
struct OnnxOptions {
  /// For axes of the inputs that have a name instead of a size. One without either is called by its place:
  /// `x[1]`.
  std::map<std::string, int64_t> sizes = {};
  /// For the first axis of each input where `sizes` does not name it.
  std::optional<int64_t> batch = {};
  /// In bytes: what may be computed while the model is read. Constants that are computed of others, masks
  /// mostly, may be of any size, whatever that of the file.
  int64_t most_computed = int64_t{1} << 30;
};

/// An ONNX model as a graph: IR versions 3 to 13, operators of versions 13 to 26, of the standard domain;
/// which ones, docs/formats.md says. Inputs keep their names. Initializers (and constants among the nodes) of
/// floating types become states under their names, but for single numbers, which with all others are
/// constants; those that nothing reads are left out. What does not depend on the inputs is computed: shapes
/// mostly. Batch norms and dropouts are those of evaluation. Indices that are given at each run count from
/// the start: where they are negative the run throws.
///
/// Elements in other files are mapped; these must be in the folder of the model. Throws IoError for a file
/// that cannot be read; FormatError, with the node, for what is no ONNX model, of other versions,
/// inconsistent, or has operators or attributes that are not known; ValueError for an axis without a size, or
/// a name of `sizes` that no axis has.
///
///   const runtime::Graph graph = runtime::load_onnx("model.onnx", {.batch = 8});
ESPALIER_API Graph load_onnx(const std::filesystem::path& path, const OnnxOptions& options = {});

/// What the free axes of load_onnx_family() are called.
inline constexpr std::string_view kOnnxBatch = "batch";

/// The graphs of any size along the first axes of the inputs that have none in the file and that
/// `options.sizes` does not name: all of one size, called kOnnxBatch, whatever names the file gives them;
/// `options.batch` is not looked at. A model without such axes is a single graph. Throws what load_onnx()
/// does, and ValueError where the model computes something else at another size.
ESPALIER_API GraphFamily load_onnx_family(const std::filesystem::path& path, OnnxOptions options = {});

/// The same as load_onnx() from memory, which is copied. `name` stands for the file in errors. Elements in
/// other files are refused.
ESPALIER_API Graph parse_onnx(std::span<const unsigned char> bytes, const OnnxOptions& options = {},
                              const std::string& name = "model");

/// The initializers of an ONNX model by their names, whatever its operators. Throws IoError, and FormatError
/// for what is no ONNX model or has tensors that are not read.
ESPALIER_API std::map<std::string, Tensor> load_onnx_tensors(const std::filesystem::path& path);

}  // namespace espalier::runtime
