#include <algorithm>
#include <cstring>
#include <limits>

#include "core/parallel.h"
#include "ops/scratch_internal.h"
#include "ops/triangle.h"

namespace espalier {
namespace {

/// The first column of row `row` with column - row >= `diagonal`, from 0 to `columns`.
int64_t column_of(int64_t diagonal, int64_t row, int64_t columns) {
  // Clamped first, so that the sum cannot overflow.
  return std::clamp<int64_t>(std::clamp<int64_t>(diagonal, -row, columns) + row, 0, columns);
}

/// Keeps the columns from that one on, or those before it.
void keep(bool upper, int64_t diagonal, const Tensor& output, const Tensor& input, void* scratch) {
  if (output.numel() == 0) return;
  Workspace work(scratch);
  const int64_t rows = output.size(-2), columns = output.size(-1);
  const auto element = static_cast<int64_t>(size_of(output.dtype()));
  const auto* from = static_cast<const char*>(row_major(input, work));
  auto* to = static_cast<char*>(output.raw_data());
  // Four bytes are a simple operation of kSerialWork; all bits zero is zero in every type.
  const int64_t grain = std::max<int64_t>(1, 4 * kSerialWork / (columns * element));
  parallel_for(0, output.numel() / columns, grain, [&](int64_t first, int64_t last) {
    for (int64_t i = first; i < last; ++i) {
      const int64_t split = column_of(diagonal, i % rows, columns), row = i * columns;
      const auto bytes = [element](int64_t n) { return static_cast<size_t>(n * element); };
      const int64_t kept = row + (upper ? split : 0), zero = row + (upper ? 0 : split);
      std::memcpy(to + bytes(kept), from + bytes(kept), bytes(upper ? columns - split : split));
      std::memset(to + bytes(zero), 0, bytes(upper ? split : columns - split));
    }
  });
}

size_t bytes_of_copy(const Tensor& input) {
  Workspace counter;
  row_major(input, counter);
  return counter.bytes();
}

}  // namespace

size_t tril_scratch(const Tril&, Inputs inputs, std::span<const Tensor>) {
  return bytes_of_copy(inputs[0]);
}
void tril_cpu(const Tril& op, Inputs inputs, Outputs outputs, void* scratch) {
  // Columns with column - row <= diagonal are those before the next diagonal.
  constexpr int64_t kLast = std::numeric_limits<int64_t>::max();
  keep(false, op.diagonal() == kLast ? kLast : op.diagonal() + 1, outputs[0], inputs[0], scratch);
}

size_t triu_scratch(const Triu&, Inputs inputs, std::span<const Tensor>) {
  return bytes_of_copy(inputs[0]);
}
void triu_cpu(const Triu& op, Inputs inputs, Outputs outputs, void* scratch) {
  keep(true, op.diagonal(), outputs[0], inputs[0], scratch);
}

}  // namespace espalier
