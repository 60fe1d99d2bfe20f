#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "data/data_set.h"
#include "data/random_stream.h"

namespace espalier::data {

/// Changes a batch: crops its images, say (data/transforms.h). Several threads may call one at once; what it
/// does by chance it draws from `random`.
using Transform = std::function<Examples(const Examples& batch, RandomStream& random)>;

/// How a data set is cut into batches.
struct BatchOptions {
  int64_t batch_size = 32;
  bool shuffle = true;     ///< otherwise in the data set's own order
  bool drop_last = false;  ///< leave out a last batch that is not full; otherwise it holds what is left
  uint64_t seed = 0;       ///< of the order and of the transforms
  std::vector<Transform> transforms = {};  ///< done to each batch, first to last
};

/// One pass over a data set in batches, in an order of its own. Each batch is a function of the data set, the
/// options and the epoch's number, computed when it is asked for; any thread may ask.
///
///   const data::Epoch epoch(split.train, {.batch_size = 32, .seed = seed}, number);
///   for (int64_t i = 0; i < epoch.size(); ++i) step(epoch[i]);
class ESPALIER_API Epoch {
 public:
  /// The order depends on the seed and `number` alone. Throws ValueError for a batch size under 1.
  Epoch(DataSet set, BatchOptions options, uint64_t number);

  /// The number of batches.
  int64_t size() const noexcept;
  /// The examples of batch `i`, transformed. Throws ValueError outside [0, size()), and what the data set and
  /// the transforms throw.
  Examples operator[](int64_t i) const;

 private:
  DataSet set_;
  BatchOptions options_;
  uint64_t number_;
  std::vector<int64_t> order_;
};

}  // namespace espalier::data
