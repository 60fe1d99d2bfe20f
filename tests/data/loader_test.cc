#include "data/loader.h"

#include <atomic>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"
#include "tests/data/numbered.h"

namespace espalier::data {
namespace {

using Numbers = std::vector<int64_t>;

Numbers labels_in(const Examples& examples) {
  return examples.labels.to_vector<int64_t>();
}

/// Of the next batch; none at the end of an epoch.
Numbers next_labels(Loader& loader) {
  const std::optional<Examples> batch = loader.next();
  return batch ? labels_in(*batch) : Numbers{};
}

/// Adds what it draws to the labels, so that a batch with other random numbers is another one.
Examples jitter(const Examples& batch, RandomStream& random) {
  Numbers labels = labels_in(batch);
  for (int64_t& label : labels) label += 100 * static_cast<int64_t>(random.below(1000));
  return {batch.inputs, from_values(labels, batch.labels.shape())};
}

const BatchOptions kOptions{.batch_size = 4, .seed = 3, .transforms = {jitter}};

std::vector<Numbers> batches_of(Loader& loader, int64_t epochs) {
  std::vector<Numbers> batches;
  while (loader.epoch() < epochs) {
    for (const Examples& batch : loader) batches.push_back(labels_in(batch));
  }
  return batches;
}

TEST(Loader, BatchesDoNotDependOnTheWorkers) {
  Loader plain(numbered(10), kOptions);
  const std::vector<Numbers> batches = batches_of(plain, 5);
  ASSERT_EQ(batches.size(), 15U);
  for (int64_t epoch = 0; epoch < 5; ++epoch) {
    for (int64_t i = 0; i < 3; ++i) {
      const Epoch alone(numbered(10), kOptions, static_cast<uint64_t>(epoch));
      EXPECT_EQ(batches[static_cast<size_t>(3 * epoch + i)], labels_in(alone[i]));
    }
  }
  for (const int workers : {1, 4}) {
    for (const int prefetch : {1, 2, 7}) {
      Loader loader(numbered(10), kOptions, {.workers = workers, .prefetch = prefetch});
      EXPECT_EQ(batches_of(loader, 5), batches) << workers << " workers, prefetch " << prefetch;
    }
  }
}

TEST(Loader, GoesOnWhereALoopWasLeft) {
  for (const int workers : {0, 2}) {
    Loader whole(numbered(10), kOptions), loader(numbered(10), kOptions, {.workers = workers});
    const std::vector<Numbers> batches = batches_of(whole, 2);
    for (const Examples& batch : loader) {
      EXPECT_EQ(labels_in(batch), batches[0]);
      break;
    }
    EXPECT_EQ(loader.batch(), 1);
    EXPECT_EQ(batches_of(loader, 2), std::vector<Numbers>(batches.begin() + 1, batches.end()));
  }
}

TEST(Loader, APositionCanBeSavedAtEachBatch) {
  Loader whole(numbered(10), kOptions);
  const std::vector<Numbers> batches = batches_of(whole, 3);
  Loader saved(numbered(10), kOptions);
  size_t handed_out = 0;
  while (saved.epoch() < 3) {
    const bool end = !saved.next().has_value();
    if (!end) ++handed_out;
    for (const int workers : {0, 2}) {
      Loader resumed(numbered(10), kOptions, {.workers = workers});
      if (handed_out % 2 == 1) resumed.next();  // what it did before does not matter
      resumed.load_state(saved.state());
      EXPECT_EQ(resumed.epoch(), saved.epoch());
      EXPECT_EQ(resumed.batch(), saved.batch());
      EXPECT_EQ(batches_of(resumed, 3),
                std::vector<Numbers>(batches.begin() + static_cast<int64_t>(handed_out), batches.end()));
    }
  }
}

TEST(Loader, ASavedPositionOfOtherBatchesIsRefused) {
  Loader loader(numbered(10), kOptions);
  loader.next();
  nn::StateMap state = loader.state();
  const auto refuses = [&](const DataSet& set, const BatchOptions& options, const std::string& message) {
    Loader other(set, options);
    try {
      other.load_state(state);
      ADD_FAILURE() << "took it";
    } catch (const ValueError& error) {
      EXPECT_EQ(error.message(), message);
    }
    EXPECT_EQ(other.batch(), 0);
  };
  refuses(numbered(11), kOptions,
          "the saved position belongs to a data set of size 10, not to this loader's 11");
  refuses(numbered(10), {.batch_size = 5, .seed = 3},
          "the saved position belongs to batch size 4, not to this loader's 5");
  refuses(numbered(10), {.batch_size = 4, .seed = 4},
          "the saved position belongs to seed 3, not to this loader's 4");
  state["batch"] = full({}, 4, Dtype::i64);
  refuses(numbered(10), kOptions, "epoch 0, batch 4 is no position among epochs of 3 batches");
  state["batch"] = full({}, -1, Dtype::i64);
  refuses(numbered(10), kOptions, "epoch 0, batch -1 is no position among epochs of 3 batches");
  state.erase("batch");
  EXPECT_THROW(loader.load_state(state), ValueError);
}

/// A source whose example `bad` cannot be read for as long as `broken`.
class Faulty final : public ExampleSource {
 public:
  explicit Faulty(int64_t bad) : bad_(bad) {}
  int64_t size() const noexcept override { return 8; }
  Examples read(std::span<const int64_t> numbers) const override {
    for (const int64_t number : numbers) {
      if (number == bad_ && broken) throw IoError("example.png", "is gone");
    }
    return numbered(static_cast<int64_t>(numbers.size()), numbers[0]);
  }
  mutable std::atomic<bool> broken = true;

 private:
  int64_t bad_;
};

TEST(Loader, AWorkersErrorReachesTheCallerAtItsBatchAndCanBeTriedAgain) {
  for (const int workers : {0, 1, 3}) {
    const auto source = std::make_shared<const Faulty>(5);
    Loader loader(DataSet(source), {.batch_size = 2, .shuffle = false}, {.workers = workers});
    EXPECT_THAT(next_labels(loader), testing::ElementsAre(0, 1));
    EXPECT_THAT(next_labels(loader), testing::ElementsAre(2, 3));
    EXPECT_THROW(loader.next(), IoError);
    EXPECT_THROW(loader.next(), IoError);
    EXPECT_EQ(loader.batch(), 2);
    std::this_thread::sleep_for(
        std::chrono::milliseconds(20));  // nothing is tried again before it is asked for
    source->broken = false;
    EXPECT_THAT(next_labels(loader), testing::ElementsAre(4, 5));
    EXPECT_THAT(next_labels(loader), testing::ElementsAre(6, 7));
    EXPECT_FALSE(loader.next());
  }
}

TEST(Loader, MakesNoMoreBatchesAheadThanAsked) {
  const auto made = std::make_shared<std::atomic<int>>(0);
  const BatchOptions options{.batch_size = 1, .transforms = {[made](const Examples& batch, RandomStream&) {
                                                ++*made;
                                                return batch;
                                              }}};
  Loader loader(numbered(100), options, {.workers = 3, .prefetch = 5});
  const auto settle = [&](int expected) {
    for (int i = 0; *made < expected && i < 2000; ++i)
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    std::this_thread::sleep_for(std::chrono::milliseconds(20));  // time to make too many
    EXPECT_EQ(*made, expected);
  };
  settle(5);
  loader.next();
  loader.next();
  settle(7);
}

TEST(Loader, RefusesWhatMakesNoSense) {
  EXPECT_THROW(Loader(numbered(4), {.batch_size = 0}), ValueError);
  EXPECT_THROW(Loader(numbered(4), {}, {.workers = -1}), ValueError);
  EXPECT_THROW(Loader(numbered(4), {}, {.workers = 100'000}), ValueError);
  EXPECT_THROW(Loader(numbered(4), {}, {.workers = 1, .prefetch = 0}), ValueError);
  EXPECT_THROW(Loader(numbered(0), {}), ValueError);
  EXPECT_THROW(Loader(numbered(4), {.batch_size = 5, .drop_last = true}), ValueError);
}

}  // namespace
}  // namespace espalier::data
