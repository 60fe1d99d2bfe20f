#include "core/create.h"

#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"
#include "core/span.h"
#include "ops/permute.h"

namespace espalier {
namespace {

using testing::ElementsAre;

TEST(Arange, CountsAsPyTorchDoes) {
  EXPECT_THAT(arange(3).to_vector<int64_t>(), ElementsAre(0, 1, 2));
  EXPECT_THAT(arange(5, 0, -2).to_vector<int64_t>(), ElementsAre(5, 3, 1));
  EXPECT_THAT(arange(2, 8, 3, Dtype::u8).to_vector<uint8_t>(), ElementsAre(2, 5));
  EXPECT_EQ(describe(arange(1, 1)), "i64[0]");
  EXPECT_THAT(arange(2.5).to_vector<float>(), ElementsAre(0, 1, 2));
  // ceil((1 - 0) / 0.1) = 10, though ten times 0.1 in f32 is more than 1.
  EXPECT_EQ(describe(arange(0, 1, 0.1)), "f32[10]");
  // In f64, (1.3 - 1) / 0.1 is a little over 3.
  EXPECT_EQ(arange(1, 1.3, 0.1).numel(), 4);
  EXPECT_EQ(arange(0, 1, 0.1, Dtype::f64).to_vector<double>()[3], 3 * 0.1);
  EXPECT_THAT(arange(0, 2.5, 1, Dtype::i64).to_vector<int64_t>(), ElementsAre(0, 1, 2));
  EXPECT_THAT(arange(3, Dtype::bf16).to_vector<bfloat16>(),
              ElementsAre(bfloat16(0), bfloat16(1), bfloat16(2)));
}

TEST(Arange, ReachesTheEndsOfTheIntegers) {
  constexpr int64_t kMin = std::numeric_limits<int64_t>::min(), kMax = std::numeric_limits<int64_t>::max();
  EXPECT_THAT(arange(kMin, kMax, kMax).to_vector<int64_t>(), ElementsAre(kMin, -1, kMax - 1));
  EXPECT_THAT(arange(kMax, kMin, kMin).to_vector<int64_t>(), ElementsAre(kMax, -1));
  // 2^53 + 1 is not an f64.
  EXPECT_EQ(arange((int64_t{1} << 53) + 1, (int64_t{1} << 53) + 2).to_vector<int64_t>()[0],
            (int64_t{1} << 53) + 1);
  EXPECT_THROW(arange(kMin, kMax), ShapeError);
  EXPECT_THROW(arange(0, 1, 1e-300), ShapeError);
}

TEST(Arange, RefusesWhatLeadsNowhere) {
  EXPECT_THROW(arange(0, 5, 0), ValueError);
  EXPECT_THROW(arange(5, 0), ValueError);
  EXPECT_THROW(arange(0, 5, -1), ValueError);
  EXPECT_THROW(arange(0, std::numeric_limits<double>::infinity()), ValueError);
  EXPECT_THROW(arange(std::numeric_limits<double>::quiet_NaN()), ValueError);
  EXPECT_THROW(arange(257, Dtype::u8), ValueError);
  EXPECT_THROW(arange(-1, 2, 1, Dtype::u64), ValueError);
  EXPECT_NO_THROW(arange(256, Dtype::u8));
}

TEST(Linspace, HasBothEnds) {
  EXPECT_THAT(linspace(0, 1, 5).to_vector<float>(), ElementsAre(0, 0.25F, 0.5F, 0.75F, 1));
  EXPECT_THAT(linspace(3, -3, 3, Dtype::f64).to_vector<double>(), ElementsAre(3, 0, -3));
  EXPECT_THAT(linspace(0, 10, 4, Dtype::i32).to_vector<int32_t>(), ElementsAre(0, 3, 6, 10));
  EXPECT_THAT(linspace(2, 7, 1).to_vector<float>(), ElementsAre(2));
  EXPECT_EQ(linspace(2, 7, 0).numel(), 0);
  const std::vector<double> wide = linspace(-1.5e308, 1.5e308, 3, Dtype::f64).to_vector<double>();
  EXPECT_THAT(wide, ElementsAre(-1.5e308, 0, 1.5e308));
  // The ends are exact, whatever the step is rounded to.
  EXPECT_EQ(linspace(0, 0.7, 8, Dtype::f64).to_vector<double>().back(), 0.7);
  EXPECT_THROW(linspace(0, 1, -1), ValueError);
  EXPECT_THROW(linspace(0, 300, 3, Dtype::u8), ValueError);
  EXPECT_THROW(linspace(0, std::numeric_limits<double>::infinity(), 3), ValueError);
}

TEST(Eye, HasOnesOnTheDiagonal) {
  EXPECT_THAT(eye(2).to_vector<float>(), ElementsAre(1, 0, 0, 1));
  EXPECT_THAT(eye(2, 3, Dtype::i8).to_vector<int8_t>(), ElementsAre(1, 0, 0, 0, 1, 0));
  EXPECT_THAT(eye(3, 1).to_vector<float>(), ElementsAre(1, 0, 0));
  EXPECT_EQ(describe(eye(0)), "f32[0, 0]");
  EXPECT_THROW(eye(-1), ShapeError);
}

TEST(Like, TakesShapeTypeAndDevice) {
  const Tensor model = zeros({2, 3}, Dtype::f16);
  EXPECT_EQ(describe(empty_like(model)), "f16[2, 3]");
  EXPECT_THAT(full_like(zeros({2}, Dtype::i32), 7).to_vector<int32_t>(), ElementsAre(7, 7));
  EXPECT_THAT(ones_like(zeros({2}), Dtype::u8).to_vector<uint8_t>(), ElementsAre(1, 1));
  EXPECT_THAT(zeros_like(ones({2})).to_vector<float>(), ElementsAre(0, 0));
  EXPECT_EQ(describe(zeros_like(empty({2}, Dtype::i8, kMeta))), "i8[2] on meta");
  EXPECT_THROW(full_like(zeros({2}, Dtype::u8), 256), ValueError);
  EXPECT_THROW(ones_like(Tensor()), ValueError);
}

TEST(Create, MetaHasShapesOnly) {
  EXPECT_EQ(describe(arange(3, {}, kMeta)), "i64[3] on meta");
  EXPECT_EQ(describe(arange(0, 1, 0.25, {}, kMeta)), "f32[4] on meta");
  EXPECT_EQ(describe(linspace(0, 1, 4, Dtype::f64, kMeta)), "f64[4] on meta");
  EXPECT_EQ(describe(eye(2, 3, Dtype::f32, kMeta)), "f32[2, 3] on meta");
}

TEST(Span, ReadsAndWritesElements) {
  const Tensor x = zeros({2, 2});
  as_span<float>(x)[3] = 5;
  EXPECT_EQ(x.version(), 1u);
  EXPECT_THAT(as_span<const float>(x), ElementsAre(0, 0, 0, 5));
  EXPECT_EQ(x.version(), 1u) << "reading changes nothing";
  EXPECT_TRUE(as_span<const bool>(zeros({0, 3}, Dtype::boolean)).empty());
}

TEST(Span, RefusesOtherLayoutsTypesAndDevices) {
  const Tensor x = zeros({2, 3});
  EXPECT_THROW(as_span<const float>(transpose(x, 0, 1)), ShapeError);
  EXPECT_THROW(as_span<const double>(x), TypeError);
  EXPECT_THROW(as_span<float>(empty({2}, Dtype::f32, kMeta)), DeviceError);
  EXPECT_THROW(as_span<float>(Tensor()), ValueError);
}

}  // namespace
}  // namespace espalier
