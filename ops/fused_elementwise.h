#pragma once

#include <memory>
#include <string>
#include <vector>

#include "core/door.h"
#include "core/inline_vector.h"

namespace espalier {

/// Elementwise operations one after the other, computed tile by tile: what passes from one to the next stays
/// in the first-level cache, and each is the functor that it runs by itself, so that the results have the
/// same bits. Inputs broadcast, and types may change on the way. Each link computes elements of one shape and
/// layout, those of all outputs. Not differentiable: a pass makes it of what was differentiated already.
///
/// Printed and saved, a chain reads "t0 = add(x0, x1); t1 = gelu(t0)", x0 and x1 being its inputs; attributes
/// of a link follow as `t1.form`.
class ESPALIER_API FusedElementwise final : public OperationOf<FusedElementwise> {
 public:
  static constexpr std::string_view kName = "fused_elementwise";
  static KernelSlot slot;

  /// Bounds of a chain: its tiles have to fit into a first-level cache.
  static constexpr size_t kMaxInputs = 8, kMaxLinks = 12, kMaxResults = 4;

  /// One operation of a chain. An operand is an input, by its number, or, as ~k, what link k computes.
  struct Link {
    std::shared_ptr<const Operation> operation;
    InlineVector<int, 3> operands;
  };

  /// Whether the operation can be a link.
  static bool takes(const Operation& operation);

  /// A chain without links, which infer() refuses.
  FusedElementwise() = default;
  /// `results` are the links whose values are put out. Throws ValueError for an operation that takes() does
  /// not, operands of later links, results that are no links, and what is beyond the bounds.
  FusedElementwise(std::vector<Link> links, std::vector<int64_t> results);

  const std::vector<Link>& links() const noexcept { return links_; }
  const std::vector<int64_t>& results() const noexcept { return results_; }

  void infer(Inputs inputs, OutputSpecs& outputs) const override;
  bool differentiable(int) const override { return false; }
  bool decomposable() const override { return true; }
  Tensors decompose(Inputs inputs) const override;
  Cost cost(Inputs inputs, std::span<const OutputSpec> outputs) const override;
  std::vector<AxisTie> axis_ties(Inputs inputs) const override;
  void visit_attributes(AttributeVisitor& visit) override;

  /// What each link computes of such inputs, on meta. Throws what the links' infer() throws; ShapeError where
  /// one is of another shape or layout than the first.
  std::vector<Tensor> values(Inputs inputs) const;

 private:
  void check() const;

  std::vector<Link> links_;
  std::vector<int64_t> results_;
};

}  // namespace espalier
