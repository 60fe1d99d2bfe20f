#pragma once

#include <algorithm>
#include <array>
#include <optional>
#include <span>

#include "core/operation.h"
#include "ops/scratch_internal.h"

namespace espalier {

/// Whether elements are computed in f32 and rounded when they are stored.
inline bool is_narrow(Dtype dtype) noexcept {
  return dtype == Dtype::f16 || dtype == Dtype::bf16;
}

/// The reason to decline, or null, of heavy kernels, which exist in f64 and f32 and take f16 and bf16 by
/// conversion.
inline const char* declines_all_but_floats(Dtype dtype) {
  return dtype == Dtype::f64 || dtype == Dtype::f32 || is_narrow(dtype) ? nullptr
                                                                        : "only f64, f32, f16 and bf16";
}

/// The operands of a heavy operation, next to which a conversion of all of them is cheap: with f32 tensors in
/// scratch memory in place of the f16 and bf16 ones, of the same layouts where these are dense.
class WideOperands {
 public:
  /// Throws ValueError for more than kMost operands.
  WideOperands(Inputs inputs, std::span<const Tensor> outputs, Workspace& work);

  Inputs inputs() const { return {wide_.data(), inputs_}; }
  std::span<const Tensor> outputs() const { return {wide_.data() + inputs_, given_.size()}; }
  /// Rounds what was put out.
  void store() const;

 private:
  static constexpr size_t kMost = 12;

  void add(size_t place, const Tensor& given, bool reads, Workspace& work);

  size_t inputs_;
  std::span<const Tensor> given_;  ///< the outputs
  std::array<std::optional<LocalTensor>, kMost> made_;
  std::array<Tensor, kMost> wide_;
};

/// A `Work` as scratch_of() describes it, on wide operands.
template <class Work>
class WideWork {
 public:
  template <class Op>
  WideWork(const Op& op, Inputs inputs, std::span<const Tensor> outputs, Workspace& work)
      : operands_(inputs, outputs, work), work_(op, operands_.inputs(), operands_.outputs(), work) {}

  void run() {
    work_.run();
    operands_.store();
  }

 private:
  WideOperands operands_;
  Work work_;
};

/// The kernel of an operation in f64 and f32, of a `Work<T>` as scratch_of() describes it; f16 and bf16 by
/// conversion.
template <template <class> class Work>
struct FloatKernel {
  /// Calls `use` with the tag of the Work for the type of the first input that there is.
  template <class Use>
  static auto visit(Inputs inputs, const Use& use) {
    const auto present =
        std::find_if(inputs.begin(), inputs.end(), [](const Tensor& input) { return input.defined(); });
    const Dtype dtype = present->dtype();
    if (dtype == Dtype::f64) return use(TypeTag<Work<double>>());
    if (dtype == Dtype::f32) return use(TypeTag<Work<float>>());
    return use(TypeTag<WideWork<Work<float>>>());
  }

  template <class Op>
  static size_t scratch(const Op& op, Inputs inputs, std::span<const Tensor> outputs) {
    return visit(inputs,
                 [&](auto tag) { return scratch_of<typename decltype(tag)::type>(op, inputs, outputs); });
  }

  template <class Op>
  static void run(const Op& op, Inputs inputs, Outputs outputs, void* scratch) {
    visit(inputs, [&](auto tag) {
      run_with<typename decltype(tag)::type>(scratch, op, inputs, std::span<const Tensor>(outputs));
    });
  }
};

}  // namespace espalier
