#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "core/operation.h"

namespace espalier::runtime {

/// How an operation treats a batch: values whose first axis has the examples, one after the other, each with
/// as many places of that axis. Masks have a bit for each input or output.
struct BatchRule {
  uint32_t examples = 0;  ///< inputs that may hold examples; all others must be the same for every example
  uint32_t sums = 0;      ///< outputs that add up over the examples; the others hold them
  uint32_t hidden = 0;    ///< outputs that hold them along another axis, which only the inputs `unhides` take
  uint32_t unhides = 0;
  /// Output 0 is the mean over the examples: of sums divided by output 2, for cross-entropy, or else of as
  /// many terms in each.
  enum class Mean : uint8_t { none, weighted, plain } mean = Mean::none;
  bool mean_gradient = false;  ///< input 0 is the gradient of a plain mean
};

/// The bit of an input; those beyond 32 share the last.
inline uint32_t input_bit(size_t input) {
  return uint32_t{1} << (input < 31 ? input : 31);
}

/// The rule for inputs of such types, those of the mask `held` holding `batch` examples; null where an
/// example does not go its own way, or nobody has said how.
std::optional<BatchRule> batch_rule(const Operation& operation, const Tensors& types, uint32_t held,
                                    int64_t batch);

/// The operation for `part` of `batch` examples: shapes among the attributes are for as many.
std::shared_ptr<const Operation> for_part(const std::shared_ptr<const Operation>& operation, size_t inputs,
                                          int64_t batch, int64_t part);

/// Whether `operand` is a batch that the operation reads beside one of type `batch`, and not the same for
/// every example.
bool goes_along(const Operation& operation, const Tensors& types, size_t operand, const Tensor& batch);

}  // namespace espalier::runtime
