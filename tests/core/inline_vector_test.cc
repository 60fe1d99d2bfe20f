#include "core/inline_vector.h"

#include <memory>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace espalier {
namespace {

using testing::ElementsAre;

TEST(InlineVector, SpillsToTheHeapAndComesBack) {
  InlineVector<int, 2> values{1, 2};
  const int* inside = values.data();
  values.push_back(3);
  EXPECT_NE(values.data(), inside);
  EXPECT_THAT(values, ElementsAre(1, 2, 3));
  values.resize(2);
  EXPECT_EQ(values.data(), inside);
  EXPECT_THAT(values, ElementsAre(1, 2));
}

TEST(InlineVector, MovesItsElements) {
  InlineVector<std::unique_ptr<int>, 1> values;
  values.push_back(std::make_unique<int>(1));
  values.push_back(std::make_unique<int>(2));
  InlineVector<std::unique_ptr<int>, 1> taken = std::move(values);
  EXPECT_EQ(*taken[0], 1);
  EXPECT_EQ(*taken[1], 2);
}

}  // namespace
}  // namespace espalier
