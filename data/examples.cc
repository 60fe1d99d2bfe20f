#include "data/examples.h"

#include <cstring>
#include <string>

#include "core/error.h"
#include "ops/copy.h"

namespace espalier::data {

Tensor take_rows(const Tensor& tensor, std::span<const int64_t> rows) {
  if (tensor.rank() == 0) throw ShapeError("take_rows", describe(tensor) + " has no rows");
  const Tensor source = contiguous(tensor.detach());
  Shape shape = source.shape();
  const int64_t height = shape[0];
  shape[0] = static_cast<int64_t>(rows.size());
  Tensor taken = empty(shape, source.dtype());
  const size_t bytes =
      height == 0 ? 0 : static_cast<size_t>(source.numel() / height) * size_of(source.dtype());
  const auto* from = static_cast<const char*>(source.raw_data());
  auto* to = static_cast<char*>(taken.raw_data());
  for (const int64_t row : rows) {
    if (row < 0 || row >= height) {
      throw ValueError("take_rows",
                       "row " + std::to_string(row) + " of " + describe(tensor) + " does not exist");
    }
    if (bytes > 0) std::memcpy(to, from + static_cast<size_t>(row) * bytes, bytes);
    to += bytes;
  }
  return taken;
}

}  // namespace espalier::data
