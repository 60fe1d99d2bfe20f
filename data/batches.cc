#include "data/batches.h"

#include <algorithm>
#include <cstring>
#include <numeric>
#include <string>
#include <utility>

#include "core/error.h"
#include "core/philox.h"
#include "ops/copy.h"

namespace espalier::data {

Epoch::Epoch(const Examples& examples, int64_t batch_size, uint64_t seed, uint64_t number)
    : examples_{contiguous(examples.inputs), contiguous(examples.labels)},
      batch_size_(batch_size),
      order_(static_cast<size_t>(examples.size())) {
  if (batch_size < 1)
    throw ValueError("Epoch", "batch size " + std::to_string(batch_size) + "; expected at least 1");
  if (examples.labels.size(0) != examples.size()) {
    throw ShapeError("Epoch", "inputs " + describe(examples.inputs) + " and labels " +
                                  describe(examples.labels) + " differ in number");
  }
  std::iota(order_.begin(), order_.end(), 0);
  for (uint64_t left = order_.size(); left > 1; --left) {
    // The 64-bit word's remainder favours no place by more than left / 2^64. An epoch's numbers start 2^32
    // blocks behind those of the one before.
    const uint64_t place = philox_word64(seed, number << 32, left) % left;
    std::swap(order_[left - 1], order_[place]);
  }
}

int64_t Epoch::size() const noexcept {
  return (static_cast<int64_t>(order_.size()) + batch_size_ - 1) / batch_size_;
}

Examples Epoch::operator[](int64_t i) const {
  if (i < 0 || i >= size())
    throw ValueError("Epoch", "batch " + std::to_string(i) + " of " + std::to_string(size()));
  const auto first = static_cast<size_t>(i * batch_size_);
  const std::span rows =
      std::span(order_).subspan(first, std::min(static_cast<size_t>(batch_size_), order_.size() - first));
  return {take_rows(examples_.inputs, rows), take_rows(examples_.labels, rows)};
}

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
