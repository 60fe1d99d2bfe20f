#include "ops/fused_elementwise.h"

#include <algorithm>
#include <charconv>

#include "core/create.h"
#include "core/error.h"
#include "ops/elementwise.h"
#include "ops/operations.h"

namespace espalier {
namespace {

constexpr std::string_view kName = FusedElementwise::kName;

std::string name_of_operand(int operand) {
  return operand >= 0 ? "x" + std::to_string(operand) : "t" + std::to_string(~operand);
}

/// "t0 = add(x0, x1); t1 = gelu(t0)".
std::string program_of(const std::vector<FusedElementwise::Link>& links) {
  std::string text;
  for (size_t k = 0; k < links.size(); ++k) {
    text += (k ? "; t" : "t") + std::to_string(k) + " = " + std::string(links[k].operation->name()) + '(';
    const char* separator = "";
    for (const int operand : links[k].operands) {
      text += separator + name_of_operand(operand);
      separator = ", ";
    }
    text += ')';
  }
  return text;
}

/// Reads what program_of() writes; attributes of the operations have no meaning yet.
class ProgramReader {
 public:
  explicit ProgramReader(std::string_view text) : text_(text), left_(text) {}

  std::vector<FusedElementwise::Link> links() {
    std::vector<FusedElementwise::Link> links;
    while (!left_.empty() && links.size() <= FusedElementwise::kMaxLinks) {
      if (!links.empty()) expect("; ");
      expect("t" + std::to_string(links.size()) + " = ");
      const std::string_view name = until('(');
      FusedElementwise::Link link;
      do link.operands.push_back(operand());
      while (take(", "));
      expect(")");
      link.operation = model_of_operation(name, link.operands.size());
      links.push_back(std::move(link));
    }
    return links;
  }

 private:
  bool take(std::string_view token) {
    if (!left_.starts_with(token)) return false;
    left_.remove_prefix(token.size());
    return true;
  }
  void expect(std::string_view token) {
    if (!take(token)) refuse("'" + std::string(token) + "'");
  }
  std::string_view until(char end) {
    const size_t size = left_.find(end);
    if (size == std::string_view::npos) refuse("an operation with its operands");
    const std::string_view found = left_.substr(0, size);
    left_.remove_prefix(size + 1);
    return found;
  }
  int operand() {
    const bool input = take("x");
    if (!input && !take("t")) refuse("x or t and a number");
    int number = 0;
    const auto [end, error] = std::from_chars(left_.data(), left_.data() + left_.size(), number);
    if (error != std::errc() || number < 0) refuse("a number");
    left_.remove_prefix(static_cast<size_t>(end - left_.data()));
    return input ? number : ~number;
  }
  [[noreturn]] void refuse(const std::string& expected) const {
    throw ValueError(kName, "program '" + std::string(text_) + "' has '" + std::string(left_.substr(0, 20)) +
                                "' where " + expected + " is expected");
  }

  std::string_view text_, left_;
};

void refuse_link(size_t k, const Operation& operation, const std::string& why) {
  throw ValueError(kName, "t" + std::to_string(k) + ", " + std::string(operation.name()) + ", " + why);
}

}  // namespace

bool FusedElementwise::takes(const Operation& operation) {
  const std::span<const Kernel> kernels = operation.kernels().kernels(DeviceType::cpu);
  return kernels.size() == 1 && kernels[0].elementwise;
}

FusedElementwise::FusedElementwise(std::vector<Link> links, std::vector<int64_t> results)
    : links_(std::move(links)), results_(std::move(results)) {
  check();
}

void FusedElementwise::check() const {
  const auto bound = [](const char* what, size_t count, size_t most) {
    if (count < 1 || count > most)
      throw ValueError(kName, std::to_string(count) + what + "; expected 1 to " + std::to_string(most));
  };
  bound(" links", links_.size(), kMaxLinks);
  bound(" results", results_.size(), kMaxResults);
  for (size_t k = 0; k < links_.size(); ++k) {
    const Link& link = links_[k];
    if (!takes(*link.operation))
      refuse_link(k, *link.operation, "is no elementwise operation of one functor");
    for (const int operand : link.operands) {
      if (operand >= static_cast<int>(kMaxInputs) || ~operand >= static_cast<int>(k))
        refuse_link(k, *link.operation, "reads " + name_of_operand(operand) + ", which is not there yet");
    }
  }
  for (const int64_t result : results_) {
    if (result < 0 || result >= static_cast<int64_t>(links_.size()))
      throw ValueError(
          kName, "result t" + std::to_string(result) + " of " + std::to_string(links_.size()) + " links");
    if (std::count(results_.begin(), results_.end(), result) > 1)
      throw ValueError(kName, "result t" + std::to_string(result) + " is put out twice");
  }
}

std::vector<Tensor> FusedElementwise::values(Inputs inputs) const {
  check();
  std::vector<Tensor> values;
  for (size_t k = 0; k < links_.size(); ++k) {
    const Link& link = links_[k];
    Tensors operands;
    for (const int operand : link.operands) {
      if (operand >= static_cast<int>(inputs.size()))
        refuse_link(k, *link.operation,
                    "reads " + name_of_operand(operand) + " of " + std::to_string(inputs.size()) + " inputs");
      operands.push_back(operand >= 0 ? inputs[static_cast<size_t>(operand)]
                                      : values[~static_cast<size_t>(operand)]);
    }
    OutputSpecs specs;
    link.operation->infer(operands, specs);
    const OutputSpec& spec = specs[0];
    if (k > 0 && (spec.shape != values[0].shape() || spec.strides != values[0].strides())) {
      throw ShapeError(kName, "t" + std::to_string(k) + " is " +
                                  describe(empty_strided(spec.shape, spec.strides, spec.dtype, kMeta)) +
                                  " beside t0, " + describe(values[0]) + ", or lies otherwise in memory");
    }
    values.push_back(empty_strided(spec.shape, spec.strides, spec.dtype, kMeta));
  }
  return values;
}

void FusedElementwise::infer(Inputs inputs, OutputSpecs& outputs) const {
  const std::vector<Tensor> made = values(inputs);
  // An input that no link reads has no shape to agree with.
  for (int input = 0; input < static_cast<int>(inputs.size()); ++input) {
    const bool read = std::any_of(links_.begin(), links_.end(), [&](const Link& link) {
      return std::find(link.operands.begin(), link.operands.end(), input) != link.operands.end();
    });
    if (!read) throw ValueError(kName, "no link reads x" + std::to_string(input));
  }
  for (const int64_t result : results_) {
    const Tensor& value = made[static_cast<size_t>(result)];
    outputs.push_back(OutputSpec::fresh(value.shape(), value.strides(), value.dtype()));
  }
}

Tensors FusedElementwise::decompose(Inputs inputs) const {
  std::vector<Tensor> values;
  for (const Link& link : links_) {
    Tensors operands;
    for (const int operand : link.operands)
      operands.push_back(operand >= 0 ? inputs[static_cast<size_t>(operand)]
                                      : values[~static_cast<size_t>(operand)]);
    values.push_back(apply(*link.operation, operands)[0]);
  }
  Tensors outputs;
  for (const int64_t result : results_) outputs.push_back(values[static_cast<size_t>(result)]);
  return outputs;
}

Cost FusedElementwise::cost(Inputs inputs, std::span<const OutputSpec> outputs) const {
  Cost cost = Operation::cost(inputs, outputs);
  cost.flops = static_cast<int64_t>(links_.size()) * count(outputs[0].shape);
  return cost;
}

std::vector<AxisTie> FusedElementwise::axis_ties(Inputs inputs) const {
  std::vector<AxisTie> ties = elementwise_ties(inputs);
  for (AxisTie& tie : ties) {
    const int axis = tie.axes.back().axis;  // of the first output
    for (int result = 1; result < static_cast<int>(results_.size()); ++result)
      tie.axes.push_back({-1 - result, axis});
  }
  return ties;
}

void FusedElementwise::visit_attributes(AttributeVisitor& visit) {
  const std::string program = program_of(links_);
  std::string seen = program;
  visit("program", seen);
  if (seen != program) links_ = ProgramReader(seen).links();
  for (size_t k = 0; k < links_.size(); ++k) {
    std::unique_ptr<Operation> operation = links_[k].operation->clone();
    visit.nested("t" + std::to_string(k) + ".", *operation);
    links_[k].operation = std::move(operation);
  }
  visit("results", results_);
}

}  // namespace espalier
