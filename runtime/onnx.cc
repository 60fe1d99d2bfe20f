#include "runtime/onnx.h"

#include <algorithm>

#include "core/error.h"
#include "io/atomic_file.h"
#include "ops/copy.h"
#include "ops/permute.h"
#include "runtime/capture.h"
#include "runtime/onnx_format_internal.h"
#include "runtime/onnx_writer_internal.h"
#include "runtime/rewriter.h"

namespace espalier::runtime {
namespace {

/// What a node's operation is made of, as a graph of its inputs that are there.
Graph parts_of(const Graph& graph, const Node& node) {
  std::vector<Tensor> examples;
  for (const ValueId id : node.inputs) {
    if (id == kAbsent) continue;
    const Tensor& type = graph.value(id).type;
    examples.push_back(empty_strided(type.shape(), contiguous_strides(type.shape()), type.dtype()));
  }
  return capture(
      [&](Inputs given) {
        Tensors inputs;
        size_t next = 0;
        for (const ValueId id : node.inputs) inputs.push_back(id == kAbsent ? Tensor() : given[next++]);
        const Tensors made = node.operation->decompose(inputs);
        return std::vector<Tensor>(made.begin(), made.end());
      },
      examples);
}

/// `made`, of the new graph, in memory as `like` is: what reads it may see it through a view that wants that.
ValueId laid_out_as(Rewriter& rewriter, ValueId made, const Tensor& like) {
  if (rewriter.to().value(made).type.strides() == like.strides()) return made;
  Dims order, back = Dims::filled(like.rank(), 0);
  for (int i = 0; i < like.rank(); ++i) order.push_back(i);
  std::stable_sort(order.begin(), order.end(), [&](int64_t a, int64_t b) {
    return like.strides()[static_cast<int>(a)] > like.strides()[static_cast<int>(b)];
  });
  for (int i = 0; i < order.rank(); ++i) back[static_cast<int>(order[i])] = i;
  const auto add = [&](const Operation& operation, ValueId input) {
    return rewriter.to().add(operation, std::span<const ValueId>(&input, 1))[0];
  };
  return add(Permute(back), add(Copy(Copy::Layout::contiguous), add(Permute(order), made)));
}

void take_apart(Rewriter& rewriter, const Node& node) {
  const Graph parts = parts_of(rewriter.from(), node);
  std::vector<ValueId> now(parts.values().size(), kAbsent);
  size_t next = 0;
  for (const ValueId id : node.inputs) {
    if (id != kAbsent) now[static_cast<size_t>(parts.inputs()[next++])] = rewriter.now(id);
  }
  const auto known = [&](ValueId id) {
    if (id == kAbsent) return kAbsent;
    ValueId& made = now[static_cast<size_t>(id)];
    if (made == kAbsent) made = rewriter.to().add_constant(parts.value(id).tensor);
    return made;
  };
  for (const Node& part : parts.nodes()) {
    std::vector<ValueId> inputs;
    for (const ValueId id : part.inputs) inputs.push_back(known(id));
    const ValueIds outputs = rewriter.to().add(part.operation, inputs);
    for (size_t i = 0; i < outputs.size(); ++i) now[static_cast<size_t>(part.outputs[i])] = outputs[i];
  }
  for (size_t i = 0; i < parts.outputs().size(); ++i)
    rewriter.replace(node.outputs[i], laid_out_as(rewriter, known(parts.outputs()[i]),
                                                  rewriter.from().value(node.outputs[i]).type));
}

/// Whether the node can be written as it is.
bool is_known(const Graph& graph, const Node& node) {
  OnnxWriter trial(graph, true);
  return write_onnx_node(trial, node);
}

/// `graph` with the nodes that ONNX has no operator for taken apart, and theirs too.
Graph written_simply(Graph graph) {
  constexpr int kMostRounds = 8;  // a fused operation's parts are simple, or made of simple ones
  for (int round = 0; round < kMostRounds; ++round) {
    bool changed = false;
    Rewriter rewriter(graph);
    for (size_t i = 0; i < graph.nodes().size(); ++i) {
      const Node& node = graph.nodes()[i];
      if (is_known(graph, node)) {
        rewriter.keep(node);
        continue;
      }
      if (!node.operation->decomposable()) {
        throw ValueError(kOnnx, "node " + std::to_string(i) + ", " + std::string(node.operation->name()) +
                                    ", has no counterpart in ONNX");
      }
      take_apart(rewriter, node);
      changed = true;
    }
    if (!changed) return graph;
    graph = rewriter.finish();
  }
  throw ValueError(kOnnx, "operations are made of each other without end");
}

}  // namespace

std::string to_onnx(const Graph& graph) {
  if (!graph.updates().empty() || !graph.gradients().empty()) {
    throw ValueError(kOnnx,
                     "the graph changes states or leaves gradients; capture the forward pass of a "
                     "model in evaluation mode");
  }
  const Graph simple = written_simply(graph);
  OnnxWriter writer(simple);
  for (const Node& node : simple.nodes()) write_onnx_node(writer, node);
  return writer.finish();
}

void save_onnx(const Graph& graph, const std::filesystem::path& path) {
  const std::string model = to_onnx(graph);
  io::AtomicFile file(path);
  file.write(model);
  file.commit();
}

}  // namespace espalier::runtime
