#include "train/averages.h"

#include <cmath>
#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"
#include "tests/support/message_of.h"
#include "tests/support/special_values.h"

namespace espalier::training {
namespace {

using test::kNan;
using test::message_of;
using testing::HasSubstr;
using testing::IsNan;

TEST(RunningMean, WeighsByCounts) {
  RunningMean loss;
  EXPECT_THAT(loss.mean(), IsNan());
  EXPECT_THAT(loss.perplexity(), IsNan());
  loss.add(2, 32);
  loss.add(5, 8);
  EXPECT_EQ(loss.count(), 40);
  EXPECT_DOUBLE_EQ(loss.mean(), (2. * 32 + 5. * 8) / 40);
  loss.add(0.4);
  EXPECT_DOUBLE_EQ(loss.mean(), (2. * 32 + 5. * 8 + 0.4) / 41);
}

TEST(RunningMean, ABatchWithoutTargetsCountsForNothing) {
  RunningMean loss;
  loss.add(1.5, 4);
  loss.add(kNan, 0);
  EXPECT_EQ(loss.mean(), 1.5);
  loss.add(kNan, 1);
  EXPECT_THAT(loss.mean(), IsNan());
}

TEST(RunningMean, PerplexityIsThatOfAUniformChoice) {
  RunningMean loss;
  loss.add(std::log(65.), 100);
  // 1e-13: exp carries the mean's rounding, 4e-16 at 4, over to 65.
  EXPECT_NEAR(loss.perplexity(), 65, 1e-13);
}

TEST(RunningMean, RefusesNegativeCounts) {
  RunningMean loss;
  EXPECT_THAT(message_of<ValueError>([&] { loss.add(1, -2); }), HasSubstr("count is -2"));
  EXPECT_EQ(loss.count(), 0);
}

TEST(MovingAverage, IsAWeightedMean) {
  MovingAverage average(0.75);
  EXPECT_THAT(average.value(), IsNan());
  average.add(3);
  EXPECT_DOUBLE_EQ(average.value(), 3);
  average.add(1);
  average.add(8);
  // The weights are 1 for the last value, 0.75 for the one before, 0.75^2 for the first.
  EXPECT_DOUBLE_EQ(average.value(), (8 + 0.75 * 1 + 0.5625 * 3) / (1 + 0.75 + 0.5625));
}

TEST(MovingAverage, ShowsWhatIsNotFiniteAndRecovers) {
  MovingAverage average(0.5);
  average.add(2);
  average.add(kNan);
  EXPECT_THAT(average.value(), IsNan());
  average.add(-std::numeric_limits<double>::infinity());
  EXPECT_EQ(average.value(), -std::numeric_limits<double>::infinity());
  average.add(4);
  EXPECT_DOUBLE_EQ(average.value(), (4 + 0.5 * 2) / 1.5);
}

TEST(MovingAverage, RefusesADecayOutOfRange) {
  EXPECT_THAT(message_of<ValueError>([] { MovingAverage(1.0); }), HasSubstr("decay is 1"));
  EXPECT_THROW(MovingAverage(-0.1), ValueError);
  EXPECT_THROW(MovingAverage{kNan}, ValueError);
  MovingAverage last(0);
  last.add(1);
  last.add(2);
  EXPECT_EQ(last.value(), 2);
}

}  // namespace
}  // namespace espalier::training
