#include <algorithm>
#include <string_view>

#include "core/attributes.h"
#include "ops/cross_entropy.h"
#include "ops/element_loss.h"
#include "ops/fused_elementwise.h"
#include "ops/layer_norm.h"
#include "ops/linear.h"
#include "ops/mean.h"
#include "ops/operations.h"
#include "ops/rms_norm.h"
#include "ops/slice.h"
#include "ops/sum.h"
#include "runtime/batch_rules_internal.h"

namespace espalier::runtime {
namespace {

using Rule = std::optional<BatchRule>;

const AttributeValue* attribute(const Attributes& attributes, std::string_view name) {
  const auto found = std::find_if(attributes.begin(), attributes.end(),
                                  [&](const Attribute& one) { return one.name == name; });
  return found == attributes.end() ? nullptr : &found->value;
}

int64_t number(const Operation& operation, std::string_view name) {
  const Attributes attributes = attributes_of(operation);
  return std::get<int64_t>(*attribute(attributes, name));
}

std::vector<int64_t> numbers(const Operation& operation, std::string_view name) {
  const Attributes attributes = attributes_of(operation);
  return std::get<std::vector<int64_t>>(*attribute(attributes, name));
}

template <class Op>
const Op* as_op(const Operation& operation) {
  return operation.name() == Op::kName ? static_cast<const Op*>(&operation) : nullptr;
}

/// Operations whose attributes do not matter: images and rows stay apart in each of them.
struct Plain {
  std::string_view name;
  uint32_t examples, sums = 0;
};
constexpr Plain kPlain[] = {
    {"copy", 0b1},
    {"embedding", 0b10},
    {"embedding_backward", 0b11, 0b1},
    {"conv2d", 0b1},
    {"fused_conv2d", 0b1001},
    {"conv2d_backward_data", 0b1},
    {"conv2d_backward_weights", 0b11, 0b11},
    {"max_pool2d", 0b1},
    {"max_pool2d_backward", 0b111},
    {"avg_pool2d", 0b1},
    {"avg_pool2d_backward", 0b1},
    {"adaptive_avg_pool2d", 0b1},
    {"adaptive_avg_pool2d_backward", 0b1},
};

/// Outputs from `second` on of an operation that puts out the gradients it is asked for.
template <class Op>
uint32_t later_gradients(const Op& operation, int second, int count) {
  uint32_t sums = 0, bit = 1;
  for (int i = 0; i < count; ++i) {
    if (!operation.wants(i)) continue;
    if (i >= second) sums |= bit;
    bit <<= 1;
  }
  return sums;
}

bool is_elementwise(const Operation& operation) {
  return operation.name() == FusedElementwise::kName || operation.name() == "cast" ||
         FusedElementwise::takes(operation);
}

Tensor made_of(const Operation& operation, const Tensors& types) {
  OutputSpecs specs;
  operation.infer(types, specs);
  return make_output(specs[0], types, kMeta);
}

Rule elementwise_rule(const Operation& operation, const Tensors& types, uint32_t held) {
  const Tensor made = made_of(operation, types);
  for (size_t i = 0; i < types.size(); ++i) {
    if ((held & input_bit(i)) != 0 && !goes_along(operation, types, i, made)) return {};
  }
  return BatchRule{.examples = ~0u};
}

/// Whether a view of `batch` examples has whole examples along its first axis, too.
Rule reshape_rule(const Operation& operation, const Tensors& types, int64_t batch) {
  const Tensor made = made_of(operation, types);
  if (made.rank() == 0 || made.shape()[0] % batch != 0) return {};
  return BatchRule{.examples = 1};
}

/// A stretch of each example.
Rule slice_rule(const Operation& operation, const Tensors& types) {
  const bool first =
      numbers(operation, "starts").empty() || made_of(operation, types).shape()[0] == types[0].shape()[0];
  return first ? Rule(BatchRule{.examples = 1}) : Rule();
}

/// The last axis of `rows` has no examples: a single row has none.
Rule rows_rule(const Tensor& rows, const BatchRule& rule) {
  return rows.rank() > 1 ? Rule(rule) : Rule();
}

Rule axis_rule(const Operation& operation, const Tensors& types, uint32_t examples) {
  const int64_t axis = number(operation, "axis");
  if (axis == 0 || axis == -types[0].rank()) return {};
  return BatchRule{.examples = examples};
}

Rule expand_rule(const Operation& operation, const Tensors& types) {
  const Tensor made = made_of(operation, types);
  const bool along = types[0].rank() == made.rank() && types[0].shape()[0] == made.shape()[0];
  return along ? Rule(BatchRule{.examples = 1}) : Rule();
}

Rule reduction_rule(const Reduction& operation, const Tensors& types, BatchRule::Mean mean) {
  if (operation.reduced_axes(types[0].rank())[0] != 0) return BatchRule{.examples = 1};
  return BatchRule{.examples = 1, .sums = 1, .mean = mean};
}

Rule matmul_rule(const Operation& operation, const Tensors& types, uint32_t held) {
  const Tensor made = made_of(operation, types);
  const auto apart = [&](size_t i) {
    return types[i].rank() == made.rank() && types[i].shape()[0] == made.shape()[0];
  };
  // Rows of the first operand, whatever the second one is, or matrices of both.
  if (held == 0b01 && apart(0) && (types[1].rank() == 2 || !apart(1))) return BatchRule{.examples = 0b01};
  if (made.rank() < 3 || !apart(0) || !apart(1)) return {};
  return BatchRule{.examples = 0b11};
}

/// Queries and keys are the axis before the last, and a mask is the same for all examples.
Rule attention_rule(const Tensor& q, const Tensor& mask, uint32_t examples) {
  if (q.rank() < 3) return {};
  if (mask.defined() && mask.rank() == q.rank() && mask.shape()[0] != 1) return {};
  return BatchRule{.examples = examples};
}

BatchRule cross_entropy_rule(LossReduction reduction) {
  BatchRule rule{.examples = 0b11, .sums = 0b101, .hidden = 0b10};
  if (reduction == LossReduction::none) rule.sums = 0b100;
  if (reduction == LossReduction::mean) rule.mean = BatchRule::Mean::weighted;
  return rule;
}

Rule norm_rule(int64_t axes, const Tensors& types, uint32_t examples, uint32_t sums) {
  if (axes >= types[0].rank()) return {};
  return BatchRule{.examples = examples, .sums = sums};
}

Rule rule_by_attributes(const Operation& operation, const Tensors& types, uint32_t held, int64_t batch) {
  const std::string_view name = operation.name();
  if (name == "reshape") return reshape_rule(operation, types, batch);
  if (name == "permute") return numbers(operation, "axes")[0] == 0 ? Rule(BatchRule{.examples = 1}) : Rule();
  if (name == "slice") return slice_rule(operation, types);
  if (name == "split" || name == "softmax" || name == "log_softmax") return axis_rule(operation, types, 0b1);
  if (name == "softmax_backward" || name == "log_softmax_backward") return axis_rule(operation, types, 0b11);
  if (name == "concat") return axis_rule(operation, types, ~0u);
  if (name == "attention") return attention_rule(types[0], types[3], 0b111);
  if (name == "attention_backward") return attention_rule(types[1], types[6], 0b111111);
  if (name == "matmul") return matmul_rule(operation, types, held);
  if (name == "linear") return rows_rule(types[0], {.examples = 0b1});
  if (name == "fused_linear") return rows_rule(types[0], {.examples = 0b1001});
  if (name == "expand") return expand_rule(operation, types);
  if (const auto* op = as_op<Sum>(operation)) return reduction_rule(*op, types, BatchRule::Mean::none);
  if (const auto* op = as_op<Mean>(operation)) return reduction_rule(*op, types, BatchRule::Mean::plain);
  if (name == "layer_norm" || name == "rms_norm") return norm_rule(number(operation, "axes"), types, 0b1, 0);
  if (const auto* op = as_op<LayerNormBackward>(operation))
    return norm_rule(op->axes(), types, 0b11011, later_gradients(*op, 1, 3));
  if (const auto* op = as_op<RmsNormBackward>(operation))
    return norm_rule(op->axes(), types, 0b1011, later_gradients(*op, 1, 2));
  if (const auto* op = as_op<LinearBackward>(operation))
    return rows_rule(types[0], {.examples = 0b11, .sums = later_gradients(*op, 1, 3)});
  if (const auto* op = as_op<CrossEntropy>(operation))
    return rows_rule(types[0], cross_entropy_rule(op->rule().reduction));
  if (const auto* op = as_op<CrossEntropyBackward>(operation)) {
    const uint32_t terms = op->rule().reduction == LossReduction::none ? 0b1 : 0b0;
    return rows_rule(types[1], {.examples = 0b01110 | terms, .unhides = 0b01000});
  }
  if (const auto* op = dynamic_cast<const ElementLoss*>(&operation)) {
    if (types.size() > 2) return {};
    if (op->reduction() == LossReduction::none) return BatchRule{.examples = 0b11};
    BatchRule rule{.examples = 0b11, .sums = 1};
    if (op->reduction() == LossReduction::mean) rule.mean = BatchRule::Mean::plain;
    return rule;
  }
  if (const auto* op = dynamic_cast<const ElementLossBackward*>(&operation)) {
    if (types.size() > 3) return {};
    return BatchRule{.examples = op->reduction() == LossReduction::none ? 0b111u : 0b110u,
                     .mean_gradient = op->reduction() == LossReduction::mean};
  }
  return {};
}

}  // namespace

Rule batch_rule(const Operation& operation, const Tensors& types, uint32_t held, int64_t batch) {
  const auto* plain = std::find_if(std::begin(kPlain), std::end(kPlain),
                                   [&](const Plain& one) { return one.name == operation.name(); });
  Rule rule;
  if (plain != std::end(kPlain))
    rule = BatchRule{.examples = plain->examples, .sums = plain->sums};
  else if (is_elementwise(operation))
    rule = elementwise_rule(operation, types, held);
  else
    rule = rule_by_attributes(operation, types, held, batch);
  return rule && (held & ~rule->examples) == 0 ? rule : Rule();
}

std::shared_ptr<const Operation> for_part(const std::shared_ptr<const Operation>& operation, size_t inputs,
                                          int64_t batch, int64_t part) {
  if (operation->name() != "reshape" && operation->name() != "expand") return operation;
  Attributes attributes = attributes_of(*operation);
  for (Attribute& one : attributes) {
    auto& shape = std::get<std::vector<int64_t>>(one.value);
    if (shape[0] > 0) shape[0] = shape[0] / batch * part;  // -1: as many as there are
  }
  return make_operation(operation->name(), attributes, inputs);
}

bool goes_along(const Operation& operation, const Tensors& types, size_t operand, const Tensor& batch) {
  const Tensor& type = types[operand];
  if (!type.defined() || type.rank() == 0 || type.shape()[0] != batch.shape()[0]) return false;
  return !is_elementwise(operation) || type.rank() == made_of(operation, types).rank();
}

}  // namespace espalier::runtime
