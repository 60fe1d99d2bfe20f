#include <algorithm>
#include <vector>

#include "core/door.h"
#include "ops/add.h"
#include "ops/batch_norm.h"
#include "ops/cast.h"
#include "ops/conv2d.h"
#include "ops/multiply.h"
#include "ops/reciprocal.h"
#include "ops/reshape.h"
#include "runtime/passes.h"
#include "runtime/readers_internal.h"
#include "runtime/rewriter.h"

namespace espalier::runtime {
namespace {

/// Weight and bias of a convolution followed by a batch norm in evaluation; undefined where there are none.
struct FoldedNorm {
  Tensor weight, bias;
};

/// Computed in f64, where all of both are constants.
FoldedNorm folded(const Graph& graph, const Node& conv, const Node& norm) {
  const auto* batch_norm = as<BatchNorm>(norm);
  for (const ValueId id : {conv.inputs[1], norm.inputs[3], norm.inputs[4]}) {
    if (!constant(graph, id)) return {};
  }
  for (const ValueId id : {conv.inputs[2], norm.inputs[1], norm.inputs[2]}) {
    if (id != kAbsent && !constant(graph, id)) return {};
  }
  const auto wide = [&](ValueId id) { return cast(*constant(graph, id), Dtype::f64); };
  const NoGrad no_grad;
  const Dtype type = constant(graph, conv.inputs[1])->dtype();
  const Tensor weight = wide(conv.inputs[1]);
  Tensor scale = rsqrt(wide(norm.inputs[4]) + batch_norm->options().eps);
  if (norm.inputs[1] != kAbsent) scale = scale * wide(norm.inputs[1]);
  Tensor shift = wide(norm.inputs[3]) * -1.0;
  if (conv.inputs[2] != kAbsent) shift = shift + wide(conv.inputs[2]);
  shift = shift * scale;
  if (norm.inputs[2] != kAbsent) shift = shift + wide(norm.inputs[2]);
  return FoldedNorm{cast(weight * reshape(scale, {weight.size(0), 1, 1, 1}), type), cast(shift, type)};
}

}  // namespace

Graph fold_batch_norms(const Graph& graph) {
  const Readers readers(graph);
  Rewriter rewriter(graph);
  std::vector<FoldedNorm> norms(graph.nodes().size());  // by the number of the convolution
  std::vector<bool> gone(graph.nodes().size());
  for (size_t i = 0; i < graph.nodes().size(); ++i) {
    const Node& conv = graph.nodes()[i];
    const int next = as<Conv2d>(conv) ? readers.only(conv.outputs[0]) : -1;
    if (next < 0) continue;
    const Node& norm = graph.nodes()[static_cast<size_t>(next)];
    const auto* batch_norm = as<BatchNorm>(norm);
    if (!batch_norm || batch_norm->options().training || norm.inputs[0] != conv.outputs[0]) continue;
    if (!std::all_of(norm.outputs.begin() + 1, norm.outputs.end(),
                     [&](ValueId id) { return readers.none(id); }))
      continue;
    norms[i] = folded(graph, conv, norm);
    gone[static_cast<size_t>(next)] = norms[i].weight.defined();
  }
  for (size_t i = 0; i < graph.nodes().size(); ++i) {
    const Node& node = graph.nodes()[i];
    if (gone[i]) continue;
    if (!norms[i].weight.defined()) {
      rewriter.keep(node);
      continue;
    }
    const std::vector<ValueId> inputs = {rewriter.now(node.inputs[0]),
                                         rewriter.to().add_constant(norms[i].weight),
                                         rewriter.to().add_constant(norms[i].bias)};
    const ValueId made = rewriter.to().add(node.operation, inputs)[0];
    const Node& norm = graph.nodes()[static_cast<size_t>(readers.only(node.outputs[0]))];
    rewriter.replace(norm.outputs[0], made);
  }
  return rewriter.finish();
}

}  // namespace espalier::runtime
