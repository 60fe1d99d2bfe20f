#include "data/batches.h"

#include <algorithm>
#include <numeric>
#include <span>
#include <string>
#include <utility>

#include "core/error.h"
#include "data/shuffle_internal.h"

namespace espalier::data {

Epoch::Epoch(DataSet set, BatchOptions options, uint64_t number)
    : set_(std::move(set)),
      options_(std::move(options)),
      number_(number),
      order_(static_cast<size_t>(set_.size())) {
  if (options_.batch_size < 1) {
    throw ValueError("Epoch", "batch size " + std::to_string(options_.batch_size) + "; expected at least 1");
  }
  std::iota(order_.begin(), order_.end(), 0);
  if (options_.shuffle) shuffle(order_, options_.seed, number);
}

int64_t Epoch::size() const noexcept {
  const auto examples = static_cast<int64_t>(order_.size());
  return examples / options_.batch_size +
         (examples % options_.batch_size != 0 && !options_.drop_last ? 1 : 0);
}

Examples Epoch::operator[](int64_t i) const {
  if (i < 0 || i >= size())
    throw ValueError("Epoch", "batch " + std::to_string(i) + " of " + std::to_string(size()));
  const auto first = static_cast<size_t>(i * options_.batch_size);
  Examples batch = set_.read(std::span(order_).subspan(
      first, std::min(static_cast<size_t>(options_.batch_size), order_.size() - first)));
  RandomStream random(options_.seed, number_, static_cast<uint64_t>(i));
  for (const Transform& transform : options_.transforms) batch = transform(batch, random);
  return batch;
}

}  // namespace espalier::data
