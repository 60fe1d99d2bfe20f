#include "core/dims.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"
#include "tests/support/message_of.h"

namespace espalier {
namespace {

using test::message_of;
using testing::HasSubstr;

TEST(Dims, GrowShrinkAndCompare) {
  Dims dims{2, 4};
  dims.insert(1, 3);
  dims.push_back(5);
  EXPECT_EQ(to_string(dims), "[2, 3, 4, 5]");
  dims.erase(0);
  EXPECT_EQ(dims, (Dims{3, 4, 5}));
  EXPECT_NE(dims, (Dims{3, 4}));
  EXPECT_EQ(to_string(Dims()), "[]");
}

TEST(Dims, MoreThanEightAxesAreRefused) {
  Dims dims = Dims::filled(kMaxRank, 1);
  EXPECT_THAT(message_of<ShapeError>([&] { dims.push_back(1); }), HasSubstr("9 axes; at most 8"));
  EXPECT_THAT(message_of<ShapeError>([&] { dims.insert(0, 1); }), HasSubstr("9 axes"));
  EXPECT_THROW((Dims{1, 1, 1, 1, 1, 1, 1, 1, 1}), ShapeError);
  EXPECT_EQ(dims, Dims::filled(kMaxRank, 1)) << "a refused change changes nothing";
}

TEST(CheckedCount, RefusesNegativeSizesAndOverflow) {
  EXPECT_EQ(checked_count({}, "here"), 1);
  EXPECT_EQ(checked_count({3, 4}, "here"), 12);
  constexpr int64_t kHuge = int64_t{1} << 62;
  EXPECT_EQ(checked_count({kHuge, kHuge, 0}, "here"), 0) << "nothing is addressed";
  EXPECT_THAT(message_of<ShapeError>([] { checked_count({3, -1}, "here"); }),
              HasSubstr("[here] negative size in shape [3, -1]"));
  EXPECT_THAT(message_of<ShapeError>([] { checked_count({kHuge, 0, -1}, "here"); }), HasSubstr("negative"));
  EXPECT_THAT(message_of<ShapeError>([] { checked_count({kHuge, 4}, "here"); }), HasSubstr("more elements"));
  // 2^59 elements of 16 bytes are 2^63 bytes, one too many; 2^59 - 1 are not.
  EXPECT_THROW(checked_count({int64_t{1} << 59}, "here"), ShapeError);
  EXPECT_EQ(checked_count({(int64_t{1} << 59) - 1}, "here"), (int64_t{1} << 59) - 1);
}

TEST(Strides, OfDenseLayouts) {
  EXPECT_EQ(contiguous_strides({2, 3, 4}), (Strides{12, 4, 1}));
  EXPECT_EQ(contiguous_strides({2, 0, 4}), (Strides{4, 4, 1}));
  EXPECT_EQ(channels_last_strides({2, 3, 4, 5}), (Strides{60, 1, 15, 3}));
}

TEST(Strides, NestAsTheModelDoes) {
  // Channels-last stays channels-last when the image shrinks, also through sizes of 1.
  EXPECT_EQ(strides_nested_like({2, 3, 2, 2}, {2, 3, 4, 4}, channels_last_strides({2, 3, 4, 4})),
            channels_last_strides({2, 3, 2, 2}));
  EXPECT_EQ(strides_nested_like({2, 3, 1, 1}, {2, 3, 4, 4}, channels_last_strides({2, 3, 4, 4})),
            channels_last_strides({2, 3, 1, 1}));
  EXPECT_EQ(strides_nested_like({2, 3, 4, 4}, {2, 3, 1, 1}, channels_last_strides({2, 3, 1, 1})),
            channels_last_strides({2, 3, 4, 4}))
      << "an axis of size 1 has the stride of its neighbour";
  EXPECT_EQ(strides_nested_like({3, 2}, {5, 4}, {1, 5}), (Strides{1, 3}));
  EXPECT_EQ(strides_nested_like({3, 2}, {5, 4}, {0, 1}), (Strides{2, 1})) << "a repeated model is row-major";
}

TEST(Layout, ContiguousAndDense) {
  EXPECT_TRUE(is_contiguous({2, 3}, {3, 1}));
  EXPECT_TRUE(is_contiguous({1, 3}, {77, 1})) << "the stride of an axis of size 1 is never walked";
  EXPECT_TRUE(is_contiguous({0, 3}, {9, 9}));
  EXPECT_FALSE(is_contiguous({2, 3}, {1, 2}));
  EXPECT_TRUE(is_dense({2, 3}, {1, 2}));
  EXPECT_TRUE(is_dense({2, 3, 4, 5}, channels_last_strides({2, 3, 4, 5})));
  EXPECT_FALSE(is_dense({2, 3}, {4, 1})) << "a gap";
  EXPECT_FALSE(is_dense({2, 3}, {0, 1})) << "an overlap";
  EXPECT_FALSE(is_dense({2, 2}, {1, 1}));
}

TEST(Axis, CountsFromTheEnd) {
  EXPECT_EQ(normalize_axis(-1, 3, "here"), 2);
  EXPECT_EQ(normalize_axis(0, 3, "here"), 0);
  EXPECT_THAT(message_of<ShapeError>([] { normalize_axis(3, 3, "here"); }),
              HasSubstr("[here] axis 3 is outside a tensor of 3 axes"));
  EXPECT_THROW(normalize_axis(-4, 3, "here"), ShapeError);
  EXPECT_THROW(normalize_axis(0, 0, "here"), ShapeError);
}

TEST(Broadcast, FollowsNumPy) {
  EXPECT_EQ(broadcast_shapes({2, 1, 4}, {3, 1}, "here"), (Shape{2, 3, 4}));
  EXPECT_EQ(broadcast_shapes({}, {2}, "here"), (Shape{2}));
  EXPECT_EQ(broadcast_shapes({1}, {0}, "here"), (Shape{0}));
  EXPECT_THAT(message_of<ShapeError>([] { broadcast_shapes({2, 3}, {2, 4}, "here"); }),
              HasSubstr("[here] shapes [2, 3] and [2, 4] do not broadcast: axis -1 is 3 and 4"));
  EXPECT_THROW(broadcast_shapes({0}, {2}, "here"), ShapeError);
  EXPECT_EQ(broadcast_strides({3, 1}, {1, 7}, {2, 3, 4}), (Strides{0, 1, 0}));
}

TEST(Dims, AZeroMakesAnyProductZero) {
  EXPECT_EQ(count({int64_t{1} << 40, int64_t{1} << 40, 0}), 0);
  EXPECT_EQ(checked_count({int64_t{1} << 40, int64_t{1} << 40, 0}, "test"), 0);
}

}  // namespace
}  // namespace espalier
