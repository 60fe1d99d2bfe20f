#include "data/batches.h"

#include <algorithm>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"
#include "tests/data/numbered.h"

namespace espalier::data {
namespace {

using testing::ElementsAre;

std::vector<int64_t> order_of(const BatchOptions& options, uint64_t number) {
  std::vector<int64_t> order;
  const Epoch epoch(numbered(10), options, number);
  for (int64_t i = 0; i < epoch.size(); ++i) {
    const Examples batch = epoch[i];
    const std::vector<int64_t> labels = batch.labels.to_vector<int64_t>();
    for (size_t row = 0; row < labels.size(); ++row) {
      EXPECT_EQ(batch.inputs.to_vector<float>()[2 * row], static_cast<float>(labels[row]))
          << "inputs and labels stay together";
      order.push_back(labels[row]);
    }
  }
  return order;
}

TEST(Epoch, VisitsEachExampleOnceInAnOrderOfItsOwn) {
  std::vector<int64_t> order = order_of({.batch_size = 4, .seed = 1}, 0);
  EXPECT_EQ(order, order_of({.batch_size = 4, .seed = 1}, 0));
  EXPECT_NE(order, order_of({.batch_size = 4, .seed = 1}, 1));
  EXPECT_NE(order, order_of({.batch_size = 4, .seed = 2}, 0));
  EXPECT_EQ(order, order_of({.batch_size = 3, .seed = 1}, 0)) << "the batch size has no say in it";
  std::sort(order.begin(), order.end());
  EXPECT_THAT(order, ElementsAre(0, 1, 2, 3, 4, 5, 6, 7, 8, 9));
}

TEST(Epoch, KeepsTheDataSetsOrderWhereAsked) {
  EXPECT_THAT(order_of({.batch_size = 4, .shuffle = false}, 3), ElementsAre(0, 1, 2, 3, 4, 5, 6, 7, 8, 9));
}

TEST(Epoch, TheLastBatchHoldsTheRest) {
  const Epoch epoch(numbered(10), {.batch_size = 4}, 0);
  EXPECT_EQ(epoch.size(), 3);
  EXPECT_EQ(epoch[2].size(), 2);
  EXPECT_THROW(epoch[3], ValueError);
  EXPECT_THROW(epoch[-1], ValueError);
  EXPECT_THROW(Epoch(numbered(8), {.batch_size = 4}, 0)[2], ValueError);
}

TEST(Epoch, TheRestIsDroppedWhereAsked) {
  EXPECT_EQ(Epoch(numbered(10), {.batch_size = 4, .drop_last = true}, 0).size(), 2);
  EXPECT_EQ(Epoch(numbered(8), {.batch_size = 4, .drop_last = true}, 0).size(), 2);
  EXPECT_EQ(Epoch(numbered(3), {.batch_size = 4, .drop_last = true}, 0).size(), 0);
}

TEST(Epoch, TwoExamplesComeInBothOrders) {
  std::set<int64_t> firsts;
  for (uint64_t number = 0; number < 20; ++number)
    firsts.insert(Epoch(numbered(2), {.batch_size = 1}, number)[0].labels.to_vector<int64_t>().front());
  EXPECT_THAT(firsts, ElementsAre(0, 1));
}

TEST(Epoch, TransformsAreDoneInOrderAndDrawFromTheBatchsOwnStream) {
  std::vector<uint32_t> drawn;
  const Transform twice = [](const Examples& batch, RandomStream&) {
    std::vector<int64_t> labels = batch.labels.to_vector<int64_t>();
    for (int64_t& label : labels) label *= 2;
    return Examples{batch.inputs, from_values(labels, batch.labels.shape())};
  };
  const Transform more = [&](const Examples& batch, RandomStream& random) {
    drawn.push_back(random.word());
    std::vector<int64_t> labels = batch.labels.to_vector<int64_t>();
    for (int64_t& label : labels) ++label;
    return Examples{batch.inputs, from_values(labels, batch.labels.shape())};
  };
  const BatchOptions options{.batch_size = 2, .shuffle = false, .seed = 7, .transforms = {twice, more}};
  const Epoch epoch(numbered(4), options, 0);
  EXPECT_THAT(epoch[1].labels.to_vector<int64_t>(), ElementsAre(5, 7));
  static_cast<void>(epoch[1]);
  static_cast<void>(epoch[0]);
  static_cast<void>(Epoch(numbered(4), options, 1)[1]);
  ASSERT_EQ(drawn.size(), 4U);
  EXPECT_EQ(drawn[0], drawn[1]);
  EXPECT_EQ(std::set<uint32_t>(drawn.begin(), drawn.end()).size(), 3U);
}

TEST(RandomStream, IsAStreamOfPhiloxBlocksApartFromThoseOfOperations) {
  RandomStream random(5, 6, 7);
  const PhiloxBlock first = philox({{0, 7, 6, 1}}, 5, 0), second = philox({{1, 7, 6, 1}}, 5, 0);
  for (const uint32_t word : first.word) EXPECT_EQ(random.word(), word);
  EXPECT_EQ(random.word(), second.word[0]);
  RandomStream bounded(1, 0, 0);
  std::set<uint32_t> seen;
  for (int i = 0; i < 100; ++i) {
    const uint32_t value = bounded.below(3);
    EXPECT_LT(value, 3U);
    seen.insert(value);
    const float between = bounded.uniform(-2, 3);
    EXPECT_TRUE(between >= -2 && between < 3);
  }
  EXPECT_EQ(seen.size(), 3U);
}

TEST(Epoch, RefusesABatchSizeOfNothing) {
  EXPECT_THROW(Epoch(numbered(4), {.batch_size = 0}, 0), ValueError);
  EXPECT_THROW(Epoch(numbered(4), {.batch_size = -1}, 0), ValueError);
}

}  // namespace
}  // namespace espalier::data
