#include <algorithm>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"
#include "data/batches.h"
#include "data/digits.h"

namespace espalier::data {
namespace {

TEST(Digits, EveryFifthImageIsForTesting) {
  const Split split = digits();
  EXPECT_EQ(describe(split.train.inputs), "f32[1438, 1, 8, 8]");
  EXPECT_EQ(describe(split.test.inputs), "f32[359, 1, 8, 8]");
  EXPECT_EQ(describe(split.train.labels), "i64[1438]");
  // The file's first rows are 0, 1, 2, 3 and 4.
  EXPECT_EQ(split.test.labels.to_vector<int64_t>()[0], 4);
  EXPECT_THAT(std::vector(split.train.labels.data<int64_t>(), split.train.labels.data<int64_t>() + 5),
              testing::ElementsAre(0, 1, 2, 3, 5));
  const std::vector<float> pixels = split.train.inputs.to_vector<float>();
  EXPECT_EQ(pixels[2], 5.0F / 16);
  EXPECT_THAT(pixels, testing::Each(testing::AllOf(testing::Ge(0.0F), testing::Le(1.0F))));
}

Examples numbered(int64_t n) {
  std::vector<float> inputs(static_cast<size_t>(2 * n));
  std::vector<int64_t> labels(static_cast<size_t>(n));
  for (int64_t i = 0; i < n; ++i) {
    labels[static_cast<size_t>(i)] = i;
    inputs[static_cast<size_t>(2 * i)] = static_cast<float>(i);
  }
  return {from_values(inputs, {n, 2}), from_values(labels, {n})};
}

std::vector<int64_t> order_of(uint64_t seed, uint64_t number) {
  std::vector<int64_t> order;
  const Epoch epoch(numbered(10), 4, seed, number);
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
  std::vector<int64_t> order = order_of(1, 0);
  EXPECT_EQ(order, order_of(1, 0));
  EXPECT_NE(order, order_of(1, 1));
  EXPECT_NE(order, order_of(2, 0));
  std::sort(order.begin(), order.end());
  EXPECT_THAT(order, testing::ElementsAre(0, 1, 2, 3, 4, 5, 6, 7, 8, 9));
}

TEST(Epoch, TheLastBatchHoldsTheRest) {
  const Epoch epoch(numbered(10), 4, 0, 0);
  EXPECT_EQ(epoch.size(), 3);
  EXPECT_EQ(epoch[2].size(), 2);
  EXPECT_THROW(epoch[3], ValueError);
  EXPECT_THROW(Epoch(numbered(8), 4, 0, 0)[2], ValueError);
}

TEST(Epoch, TwoExamplesComeInBothOrders) {
  std::set<int64_t> firsts;
  for (uint64_t number = 0; number < 20; ++number)
    firsts.insert(Epoch(numbered(2), 1, 0, number)[0].labels.to_vector<int64_t>().front());
  EXPECT_THAT(firsts, testing::ElementsAre(0, 1));
}

TEST(TakeRows, RowsWithoutElementsAreRows) {
  EXPECT_EQ(take_rows(zeros({3, 0}), std::vector<int64_t>{2, 2}).shape(), Shape({2, 0}));
}

TEST(Epoch, RefusesWhatMakesNoSense) {
  EXPECT_THROW(Epoch(numbered(4), 0, 0, 0), ValueError);
  EXPECT_THROW(Epoch({zeros({3}), zeros({4}, Dtype::i64)}, 1, 0, 0), ShapeError);
  EXPECT_THROW(take_rows(zeros({2, 2}), std::vector<int64_t>{2}), ValueError);
  EXPECT_THROW(take_rows(zeros({2, 2}), std::vector<int64_t>{-1}), ValueError);
  EXPECT_THROW(take_rows(zeros({2, 0}), std::vector<int64_t>{2}), ValueError);
  EXPECT_THROW(take_rows(zeros({}), std::vector<int64_t>{0}), ShapeError);
}

}  // namespace
}  // namespace espalier::data
