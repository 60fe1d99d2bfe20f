#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "core/tensor.h"

namespace espalier {

/// A reduction brought to a few long loops: axes of one element are left out, the others sorted by the
/// input's strides and joined where they can be walked as one. The innermost is dealt with in vectors; it is
/// one of the reduced axes ("rows") or of those that stay ("columns").
struct ReductionLoop {
  struct Axis {
    int64_t size;
    int64_t input, output;  ///< strides in elements
  };

  /// `axes`, sorted, of `input` are reduced; `output` is row-major.
  ReductionLoop(const Tensor& input, const Dims& axes);

  std::span<const Axis> kept() const noexcept { return {kept_.data(), kept_count_}; }
  std::span<const Axis> reduced() const noexcept { return {reduced_.data(), reduced_count_}; }

  /// Makes wider rows of narrow columns: up to `width` elements of neighbouring rows are treated as one row
  /// of `fold` times as many columns, where they lie one behind the other.
  void fold_columns(int64_t width) noexcept;

  Axis inner{1, 1, 1};
  bool inner_reduced = true;
  int64_t kept_positions = 1;     ///< product of the sizes of kept(), which leaves out `inner`
  int64_t reduced_positions = 1;  ///< the same of reduced()
  int64_t fold = 1;               ///< rows that a folded row consists of
  int64_t last_fold = 1;          ///< the same for the last one along the innermost of reduced()

 private:
  std::array<Axis, kMaxRank> kept_, reduced_;  // outermost first
  size_t kept_count_ = 0, reduced_count_ = 0;
};

/// How far into the input or output the position `index`, counted in row-major order, of some axes is.
inline int64_t offset_at(std::span<const ReductionLoop::Axis> axes, int64_t index,
                         int64_t ReductionLoop::Axis::* stride) noexcept {
  int64_t offset = 0;
  for (size_t i = axes.size(); i-- > 1;) {
    offset += index % axes[i].size * axes[i].*stride;
    index /= axes[i].size;
  }
  return axes.empty() ? 0 : offset + index * axes[0].*stride;
}

}  // namespace espalier
