#pragma once

#include <filesystem>
#include <string>

#include "runtime/graph.h"

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

}  // namespace espalier::runtime
