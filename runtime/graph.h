#pragma once

#include <cstdint>
#include <memory>
#include <ostream>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/operation.h"

namespace espalier::runtime {

/// A value of a graph, by number; kAbsent stands for an optional input that is not there.
using ValueId = int32_t;
inline constexpr ValueId kAbsent = -1;
using ValueIds = InlineVector<ValueId, 4>;

/// A tensor that a graph reads or computes.
struct Value {
  enum class Origin : uint8_t {
    input,     ///< given at each run
    state,     ///< a parameter, a running statistic, a momentum: kept from run to run
    constant,  ///< the same at each run
    node,      ///< computed
  };

  Origin origin = Origin::node;
  std::string name = {};  ///< of an input or a state
  Tensor type =
      {};  ///< on meta: shape, type and layout; shares its storage with what it is a view or update of
  Tensor tensor = {};                               ///< the elements of a constant or state
  int node = -1;                                    ///< which of Graph::nodes() computes it
  OutputSpec::Kind kind = OutputSpec::Kind::fresh;  ///< what it is to an input, `source`
  int source = -1;  ///< which of the node's inputs it is a view or an update of
};

/// What is known of a node beyond what it computes.
struct NodeMarks {
  /// It computes what another node has computed already, so that this need not be kept until here (autograd's
  /// checkpoint()). No pass merges the two.
  bool again = false;
  /// Which part of a batch it works on (split_batch()); -1: it is not one of several. Consecutive nodes of
  /// several parts run side by side where they do not need each other.
  int part = -1;

  friend bool operator==(const NodeMarks&, const NodeMarks&) = default;
};

/// `, again, part 1`: what a printed node ends in.
ESPALIER_API std::string to_string(const NodeMarks& marks);

/// An operation at work in a graph.
struct Node {
  std::shared_ptr<const Operation> operation;
  ValueIds inputs, outputs;
  NodeMarks marks = {};
};

/// "After the run, `state` (or its gradient) is `value`."
struct StateUpdate {
  ValueId state;
  ValueId value;
};

/// A computation as a value, in single-assignment form: every value is computed once, by a node that stands
/// before its readers, and updates in place are pure: the update is a new value, and who wants the one before
/// still has it. The operations and constants are shared by copies, which nobody changes.
class ESPALIER_API Graph {
 public:
  /// Adds a value that is given at each run, of the shape, type and layout of `like`.
  ValueId add_input(std::string name, const Tensor& like);
  /// Adds a value that stays from run to run: the elements of `tensor`, which the graph shares.
  ValueId add_state(std::string name, const Tensor& tensor);
  /// Adds a value that is the same at each run; `tensor`, on the CPU, is shared.
  ValueId add_constant(const Tensor& tensor);
  /// Adds an operation after all others; returns its outputs. Throws what Operation::infer throws, ValueError
  /// for values that do not exist or are absent without being optional.
  ValueIds add(std::shared_ptr<const Operation> operation, std::span<const ValueId> inputs,
               NodeMarks marks = {});
  ValueIds add(const Operation& operation, std::span<const ValueId> inputs) {
    return add(std::shared_ptr<const Operation>(operation.clone()), inputs);
  }

  /// What a run puts out, in this order. Throws ValueError for values that do not exist.
  void set_outputs(std::vector<ValueId> outputs);
  /// Says that after a run `state` holds `updated`. Throws ValueError unless the first is a state and both
  /// have one shape and type.
  void update_state(ValueId state, ValueId updated);
  /// Says that after a run the gradient of `state` is `gradient`, or (kAbsent) that there is none. Throws as
  /// update_state() does.
  void set_gradient(ValueId state, ValueId gradient);
  /// Names the inputs anew, in their order. Throws ValueError unless there is a name for each, and each input
  /// and state has one of its own.
  void name_inputs(std::vector<std::string> names);
  /// Forgets the states, and the inputs after the first `inputs`, that nothing reads, updates or gives a
  /// gradient.
  void drop_unused(size_t inputs);
  /// Forgets constants that nothing uses, and whatever else stands in no list, and numbers the values anew.
  void compact();

  const std::vector<Value>& values() const noexcept { return values_; }
  /// Throws ValueError where there is none.
  const Value& value(ValueId id) const;
  /// In an order in which they can run.
  const std::vector<Node>& nodes() const noexcept { return nodes_; }
  const std::vector<ValueId>& inputs() const noexcept { return inputs_; }
  const std::vector<ValueId>& states() const noexcept { return states_; }
  const std::vector<ValueId>& outputs() const noexcept { return outputs_; }
  const std::vector<StateUpdate>& updates() const noexcept { return updates_; }
  const std::vector<StateUpdate>& gradients() const noexcept { return gradients_; }

  /// Whether a node reads the value.
  bool reads(ValueId id) const;
  /// The name of an input or state, `#3` for a constant, `%3` for what a node computes.
  std::string name_of(ValueId id) const;

 private:
  ValueId add_value(Value value);
  void check_update(ValueId state, ValueId updated) const;
  std::vector<bool> used_values() const;

  std::vector<Value> values_;
  std::vector<Node> nodes_;
  std::vector<ValueId> inputs_, states_, outputs_;
  std::vector<StateUpdate> updates_, gradients_;
};

/// One line a node:
///
///     inputs: x: f32[8, 64]
///     state: hidden.weight: f32[256, 64], hidden.bias: f32[256]
///     %3 = linear(x, hidden.weight, hidden.bias): f32[8, 256]
///     %4 = relu(%3): f32[8, 256]
///     outputs: %4
ESPALIER_API std::ostream& operator<<(std::ostream& out, const Graph& graph);
ESPALIER_API std::string to_string(const Graph& graph);

/// Whether both compute the same by the same steps: operations with their attributes in one order, inputs,
/// states and outputs with their names, types and layouts, and equal elements of constants. Numbers of values
/// do not count, and neither do the elements of states, which change from run to run.
ESPALIER_API bool operator==(const Graph& a, const Graph& b);
/// 64 bits that equal graphs have in common, and others hardly ever; the same in each process.
ESPALIER_API uint64_t fingerprint(const Graph& graph);
/// Throws ValueError that names the node or value, unless the graph is what Graph promises: values are
/// computed once and before they are read, each node's outputs are what its operation makes of its inputs,
/// and inputs and states have names of their own.
ESPALIER_API void verify(const Graph& graph);

/// Type and shape: `f32[8, 64]`.
ESPALIER_API std::string type_text(const Tensor& type);

}  // namespace espalier::runtime
