#include <algorithm>

#include "ops/reduction_loop_internal.h"

namespace espalier {
namespace {

struct Candidate {
  ReductionLoop::Axis axis;
  bool reduced;
};

/// Whether `inner` repeats inside `outer` so that both are one long axis.
bool joins(const Candidate& outer, const Candidate& inner) {
  return outer.reduced == inner.reduced && outer.axis.input == inner.axis.size * inner.axis.input &&
         (inner.reduced || outer.axis.output == inner.axis.size * inner.axis.output);
}

/// Outermost first; axes along which the input was expanded, whose stride is 0, come first of all.
bool is_outside(const Candidate& a, const Candidate& b) {
  if (a.axis.input == 0 || b.axis.input == 0) return a.axis.input == 0 && b.axis.input != 0;
  return a.axis.input > b.axis.input;
}

}  // namespace

ReductionLoop::ReductionLoop(const Tensor& input, const Dims& axes) {
  std::array<Candidate, kMaxRank> found;
  size_t count = 0;
  int64_t output_stride = 1;
  for (int i = input.rank() - 1; i >= 0; --i) {
    const bool reduced = std::find(axes.begin(), axes.end(), i) != axes.end();
    const int64_t size = input.shape()[i];
    if (size != 1) found[count++] = {{size, input.strides()[i], reduced ? 0 : output_stride}, reduced};
    if (!reduced) output_stride *= size;
  }
  if (count == 0) return;
  std::reverse(found.begin(), found.begin() + static_cast<std::ptrdiff_t>(count));
  // Sorted by insertion: std::stable_sort takes memory from the heap.
  for (auto next = found.begin(); next != found.begin() + static_cast<std::ptrdiff_t>(count); ++next)
    std::rotate(std::upper_bound(found.begin(), next, *next, is_outside), next, next + 1);
  size_t last = 0;
  for (size_t i = 1; i < count; ++i) {
    if (joins(found[last], found[i])) {
      found[i].axis.size *= found[last].axis.size;
      found[last] = found[i];
    } else {
      found[++last] = found[i];
    }
  }
  inner = found[last].axis;
  inner_reduced = found[last].reduced;
  for (size_t i = 0; i < last; ++i) {
    if (found[i].reduced) {
      reduced_[reduced_count_++] = found[i].axis;
      reduced_positions *= found[i].axis.size;
    } else {
      kept_[kept_count_++] = found[i].axis;
      kept_positions *= found[i].axis.size;
    }
  }
}

void ReductionLoop::fold_columns(int64_t width) noexcept {
  if (inner_reduced || reduced_count_ == 0) return;
  Axis& rows = reduced_[reduced_count_ - 1];
  const int64_t wanted = std::min(width / inner.size, rows.size);
  if (wanted < 2 || rows.input != inner.size * inner.input) return;
  fold = wanted;
  last_fold = rows.size % fold == 0 ? fold : rows.size % fold;
  reduced_positions /= rows.size;
  rows = {(rows.size + fold - 1) / fold, rows.input * fold, 0};
  reduced_positions *= rows.size;
}

}  // namespace espalier
