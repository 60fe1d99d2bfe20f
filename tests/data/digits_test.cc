#include "data/digits.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"

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

TEST(TakeRows, RowsWithoutElementsAreRows) {
  EXPECT_EQ(take_rows(zeros({3, 0}), std::vector<int64_t>{2, 2}).shape(), Shape({2, 0}));
}

TEST(TakeRows, RefusesRowsThatAreNotThere) {
  EXPECT_THROW(take_rows(zeros({2, 2}), std::vector<int64_t>{2}), ValueError);
  EXPECT_THROW(take_rows(zeros({2, 2}), std::vector<int64_t>{-1}), ValueError);
  EXPECT_THROW(take_rows(zeros({2, 0}), std::vector<int64_t>{2}), ValueError);
  EXPECT_THROW(take_rows(zeros({}), std::vector<int64_t>{0}), ShapeError);
}

}  // namespace
}  // namespace espalier::data
