#include <cmath>
#include <initializer_list>
#include <limits>
#include <memory>
#include <optional>

#include "core/create.h"
#include "ops/add.h"
#include "ops/cast.h"
#include "ops/divide.h"
#include "ops/maximum.h"
#include "ops/multiply.h"
#include "ops/negate.h"
#include "ops/power.h"
#include "ops/reciprocal.h"
#include "ops/relu.h"
#include "ops/sqrt.h"
#include "ops/subtract.h"
#include "runtime/passes.h"
#include "runtime/readers_internal.h"
#include "runtime/rewriter.h"

namespace espalier::runtime {
namespace {

/// What stands for a node: a value of the new graph, or nothing where no rule fits.
using Simpler = std::optional<ValueId>;

/// A node on its way through the rules, which look at the old graph and add to the new one.
class Simplification {
 public:
  Simplification(Rewriter& rewriter, const Node& node) : rewriter_(rewriter), node_(node) {}

  Simpler simpler() {
    if (node_.outputs.size() != 1) return {};
    if (leaves(0)) return rewriter_.now(node_.inputs[0]);
    if (leaves(1)) return rewriter_.now(node_.inputs[1]);
    if (as<Divide>(node_)) return divide();
    if (as<Maximum>(node_)) return maximum();
    if (as<Negate>(node_)) return negate();
    if (as<Power>(node_)) return power();
    return {};
  }

 private:
  const Graph& graph() const { return rewriter_.from(); }
  const Tensor& type(ValueId id) const { return graph().value(id).type; }

  /// The number that a constant input without axes is.
  std::optional<double> number(size_t input) const {
    if (input >= node_.inputs.size()) return {};
    const Tensor* tensor = constant(graph(), node_.inputs[input]);
    if (!tensor || tensor->rank() != 0) return {};
    return tensor->item();
  }
  /// Whether the input has the result's type, shape and layout.
  bool same_type(size_t input) const {
    const Tensor &x = type(node_.inputs[input]), &y = type(node_.outputs[0]);
    return x.dtype() == y.dtype() && x.shape() == y.shape() && x.strides() == y.strides();
  }
  /// Whether the result is the input, bit by bit.
  bool leaves(size_t input) const {
    if (input >= node_.inputs.size() || node_.inputs[input] == kAbsent || !same_type(input)) return false;
    if (graph().value(node_.outputs[0]).kind == OutputSpec::Kind::view) return true;
    const std::optional<double> other = number(1 - input);
    if (!other) return false;
    const bool first = input == 0;
    if (as<Multiply>(node_) || (first && (as<Divide>(node_) || as<Power>(node_)))) return *other == 1;
    if (!is_floating(type(node_.outputs[0]).dtype()))
      return *other == 0 && (as<Add>(node_) || (first && as<Subtract>(node_)));
    // -0 + 0 is 0, but adding -0 and subtracting 0 leave both zeros as they are.
    if (as<Add>(node_)) return *other == 0 && std::signbit(*other);
    return first && as<Subtract>(node_) && *other == 0 && !std::signbit(*other);
  }

  template <class Op>
  Simpler made(const Op& operation, std::initializer_list<ValueId> inputs) {
    return rewriter_.add(operation, inputs)[0];
  }

  /// A division by a power of two is a multiplication.
  Simpler divide() {
    const std::optional<double> by = number(1);
    if (!by || !std::isfinite(*by)) return {};
    int exponent = 0;
    const bool power_of_two = std::abs(std::frexp(*by, &exponent)) == 0.5;
    // Within what a bf16 or f32 has as a normal number; f16 has less.
    constexpr int kMost = std::numeric_limits<float>::max_exponent - 3;
    const Dtype dtype = type(node_.outputs[0]).dtype();
    const bool wide = dtype == Dtype::f32 || dtype == Dtype::f64 || dtype == Dtype::bf16;
    if (!power_of_two || !wide || std::abs(exponent) > kMost) return {};
    const ValueId factor = rewriter_.to().add_constant(cast(full({}, 1 / *by, Dtype::f64), dtype));
    return rewriter_.to().add(Multiply(),
                              std::initializer_list<ValueId>{rewriter_.now(node_.inputs[0]), factor})[0];
  }
  /// max(x, 0), the number behind: so both leave NaN and -0.
  Simpler maximum() {
    const std::optional<double> bound = number(1);
    if (!bound || *bound != 0 || std::signbit(*bound)) return {};
    if (type(node_.outputs[0]).dtype() == Dtype::boolean) return {};
    return made(Relu(), {node_.inputs[0]});
  }
  Simpler negate() {
    const int from = graph().value(node_.inputs[0]).node;
    if (from < 0) return {};
    const Node& before = graph().nodes()[static_cast<size_t>(from)];
    if (!as<Negate>(before) || !same_type(0)) return {};
    return rewriter_.now(before.inputs[0]);
  }
  /// The kernel of powers computes these by the same operations.
  Simpler power() {
    const std::optional<double> exponent = number(1);
    const Dtype dtype = type(node_.outputs[0]).dtype();
    if (!exponent || !is_floating(dtype)) return {};
    const ValueId x = node_.inputs[0];
    if (*exponent == 2) return made(Multiply(), {x, x});
    if (*exponent == 0.5) return made(Sqrt(), {x});
    if (*exponent == -1) return made(Reciprocal(), {x});
    if (*exponent == -0.5) return made(Rsqrt(), {x});
    return {};
  }

  Rewriter& rewriter_;
  const Node& node_;
};

}  // namespace

Graph simplify(const Graph& graph) {
  Rewriter rewriter(graph);
  for (const Node& node : graph.nodes()) {
    if (const Simpler simpler = Simplification(rewriter, node).simpler())
      rewriter.replace(node.outputs[0], *simpler);
    else
      rewriter.keep(node);
  }
  return rewriter.finish();
}

}  // namespace espalier::runtime
