#pragma once

#include <functional>
#include <span>
#include <vector>

#include "core/door.h"
#include "core/tensor.h"

namespace espalier {

// Reverse-mode differentiation. Operations on tensors that require a gradient are recorded as they run;
// backward() walks the record from the result to the leaves. A graph may be walked by one thread at a time;
// different graphs by different threads.

/// Makes a tensor a leaf that wants a gradient, or (false) none. Returns it. Throws TypeError for one that is
/// not floating, GradientError for the result of a recorded operation.
ESPALIER_API Tensor requires_grad_(Tensor tensor, bool wanted = true);

struct BackwardOptions {
  bool retain_graph = false;  ///< keep what was saved, so that the graph can be walked again
  /// Record the walk itself, so that gradients can be differentiated; implies retain_graph. A leaf's gradient
  /// then holds the graph, which holds the leaf: such a ring lives until set_grad({}) opens it. grad() makes
  /// none.
  bool create_graph = false;
};

/// Adds d(output)/d(leaf) to the gradient of every leaf that `output` was computed from. `gradient` is the
/// gradient of what is being differentiated with respect to `output`; it may be absent where that has one
/// element. Throws GradientError where no leaf wants a gradient, the graph was walked before without
/// retain_graph, or a tensor was changed in place since an operation saved it; ShapeError and TypeError where
/// `gradient` does not match.
ESPALIER_API void backward(const Tensor& output, const Tensor& gradient = {}, BackwardOptions options = {});

struct GradOptions {
  std::vector<Tensor> gradients =
      {};  ///< one for each output; may be empty where all outputs have one element
  bool retain_graph = false;
  bool create_graph = false;
  bool allow_unused =
      false;  ///< give an undefined tensor for an input that does not reach the outputs, instead of an error
};

/// The gradients of the (weighted) sum of the outputs with respect to each input, which may be leaves or
/// results; leaves accumulate nothing. Throws as backward() does, and GradientError for an input without a
/// path to the outputs.
ESPALIER_API std::vector<Tensor> grad(std::span<const Tensor> outputs, std::span<const Tensor> inputs,
                                      const GradOptions& options = {});
inline std::vector<Tensor> grad(const Tensor& output, std::span<const Tensor> inputs,
                                const GradOptions& options = {}) {
  return grad(std::span(&output, 1), inputs, options);
}
inline Tensor grad(const Tensor& output, const Tensor& input, const GradOptions& options = {}) {
  return grad(std::span(&output, 1), std::span(&input, 1), options)[0];
}

/// Calls `hook` with the gradient of `tensor` each time a walk has computed it, before it is passed on; what
/// the hook returns, if defined, takes its place. For a leaf it sees each contribution as it arrives. The
/// hook lives as long as the graph. Throws GradientError where `tensor` does not require a gradient.
ESPALIER_API void on_gradient(const Tensor& tensor, std::function<Tensor(const Tensor&)> hook);

/// A leaf that a layer made as its parameter; `layer` names the kind of layer, a literal. An optimiser claims
/// the parameters it is given, and its step refuses to go on while an unclaimed one of the same model
/// receives gradients: a member was forgotten in the layer's `visit`.
ESPALIER_API Tensor make_parameter(Tensor values, const char* layer);
/// A leaf with a copy of the values; it requires a gradient, and is some layer's parameter, as the original
/// is.
ESPALIER_API Tensor copy_parameter(const Tensor& original);
/// Says that an optimiser updates this leaf.
ESPALIER_API void claim_parameter(const Tensor& parameter);
/// Throws GradientError where the walk that last reached one of `claimed` also reached a parameter that
/// nobody claimed.
ESPALIER_API void check_all_claimed(std::span<const Tensor> claimed);

}  // namespace espalier
