#pragma once

#include <cstdint>
#include <iterator>
#include <memory>
#include <optional>

#include "data/batches.h"
#include "nn/state.h"

namespace espalier::data {

/// Who makes a loader's batches.
struct WorkerOptions {
  int workers = 0;   ///< threads; none: whoever asks for a batch makes it
  int prefetch = 4;  ///< batches, at most, that are ready or being made ahead of the one asked for
};

/// Batches of a data set, epoch after epoch, made ahead by worker threads where there are any: also those of
/// the next epoch, while this one's results are being looked at. The batches and their order do not depend on
/// the workers.
///
///   data::Loader loader(cifar.train, {.batch_size = 128, .transforms = {data::random_crop(4)}},
///                       {.workers = 1});
///   while (loader.epoch() < 10)
///     for (const data::Examples& batch : loader) step(batch);
///
/// A loader has a position: which batch comes next. A loop that is left early is gone on with by the next
/// one. At most `prefetch` batches are kept in memory, which the allocator reuses. One thread at a time may
/// use a loader.
class ESPALIER_API Loader {
 public:
  class Iterator;

  /// Throws ValueError for a batch size under 1, fewer than 0 or more than 1,024 workers, a prefetch under 1,
  /// and a data set of no batches.
  Loader(DataSet set, BatchOptions options, const WorkerOptions& workers = {});
  ~Loader();
  Loader(const Loader&) = delete;
  Loader& operator=(const Loader&) = delete;

  /// The number of batches in an epoch.
  int64_t size() const noexcept;
  /// The epoch that is going on, from 0; a finished one counts until the end of its last batch was met.
  int64_t epoch() const noexcept { return epoch_; }
  /// The batches handed out in this epoch.
  int64_t batch() const noexcept { return batch_; }

  /// The next batch of this epoch; none at its end, and then the next epoch begins. Rethrows what a worker
  /// met; the position stays, so that another call tries again.
  std::optional<Examples> next();

  Iterator begin();
  std::default_sentinel_t end() const noexcept { return {}; }

  /// The position and what it means: `epoch`, `batch`, and `seed`, `batch_size`, `examples`, i64. The values
  /// are copies.
  nn::StateMap state() const;
  /// Goes to a position. Throws ValueError as nn::load_state() does, for a position outside the epoch, and
  /// where seed, batch size or number of examples are others than this loader's: the batches would not go on
  /// where they stopped. Then all is as it was.
  void load_state(const nn::StateMap& state);

 private:
  class Pipeline;

  int64_t examples_;
  uint64_t seed_;
  int64_t batch_size_;
  int64_t epoch_ = 0;
  int64_t batch_ = 0;
  std::unique_ptr<Pipeline> pipeline_;
};

/// For range-based loops over the rest of an epoch.
class Loader::Iterator {
 public:
  using value_type = Examples;
  using difference_type = std::ptrdiff_t;

  explicit Iterator(Loader& loader) : loader_(&loader), batch_(loader.next()) {}
  // NOLINTBEGIN(bugprone-unchecked-optional-access): as with every iterator, there is a value before the end
  const Examples& operator*() const { return *batch_; }
  const Examples* operator->() const { return &*batch_; }
  // NOLINTEND(bugprone-unchecked-optional-access)
  Iterator& operator++() {
    batch_ = {};  // its memory serves the next one
    batch_ = loader_->next();
    return *this;
  }
  void operator++(int) { ++*this; }
  friend bool operator==(const Iterator& iterator, std::default_sentinel_t) { return !iterator.batch_; }

 private:
  Loader* loader_;
  std::optional<Examples> batch_;
};

inline Loader::Iterator Loader::begin() {
  return Iterator(*this);
}

}  // namespace espalier::data
