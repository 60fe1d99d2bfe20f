#pragma once

#include <cmath>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "core/tensor.h"
#include "ops/copy.h"

namespace espalier::training {

/// a / b, and NaN where b is 0.
inline double share(double a, int64_t b) {
  return b == 0 ? std::nan("") : a / static_cast<double>(b);
}

/// Throws ShapeError or TypeError, on behalf of `where`, unless the logits are floating, of the labels' shape
/// with an axis of classes behind it.
void check_logits(std::string_view where, const Tensor& logits, const Tensor& labels);

/// Classes of type i32 or i64 as numbers in row-major order. Throws TypeError for another type.
std::vector<int64_t> class_indices(std::string_view where, const Tensor& indices);

/// The labels in row-major order. Throws ValueError for one outside [0, classes) that is not `ignored`.
std::vector<int64_t> checked_labels(std::string_view where, const Tensor& labels, int64_t classes,
                                    int64_t ignored);

/// A row of a row-major matrix of `to.size()` columns.
void read_row(const Tensor& rows, int64_t row, std::span<double> to);

/// Calls `f(row, label)` with the logits, as doubles, of each example that is not `ignored`. Everything is
/// checked before the first call.
template <class F>
void for_each_example(std::string_view where, const Tensor& logits, const Tensor& labels, int64_t ignored,
                      F&& f) {
  check_logits(where, logits, labels);
  const int64_t classes = logits.shape().back();
  const std::vector<int64_t> targets = checked_labels(where, labels, classes, ignored);
  const Tensor rows = contiguous(logits.detach());
  std::vector<double> row(static_cast<size_t>(classes));
  for (size_t i = 0; i < targets.size(); ++i) {
    if (targets[i] == ignored) continue;
    read_row(rows, static_cast<int64_t>(i), row);
    f(std::span<const double>(row), targets[i]);
  }
}

}  // namespace espalier::training
