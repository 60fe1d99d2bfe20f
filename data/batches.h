#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "data/digits.h"

namespace espalier::data {

/// One pass over examples in batches, in an order of its own.
///
///   const Epoch epoch(split.train, 32, seed, number);
///   for (int64_t i = 0; i < epoch.size(); ++i) step(epoch[i]);
class ESPALIER_API Epoch {
 public:
  /// Shuffles by Fisher and Yates; the order depends on `seed` and `number` alone. The last batch holds what
  /// is left. Throws ValueError for a batch size under 1, ShapeError where inputs and labels differ in
  /// number.
  Epoch(const Examples& examples, int64_t batch_size, uint64_t seed, uint64_t number);

  /// The number of batches.
  int64_t size() const noexcept;
  /// A copy of the examples of batch `i`. Throws ValueError outside [0, size()).
  Examples operator[](int64_t i) const;

 private:
  Examples examples_;
  int64_t batch_size_;
  std::vector<int64_t> order_;
};

/// The rows (along the first axis) with these numbers, copied, in this order. Throws ValueError for a row
/// that is not there.
ESPALIER_API Tensor take_rows(const Tensor& tensor, std::span<const int64_t> rows);

}  // namespace espalier::data
