#include "core/philox.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <numbers>
#include <vector>

#include <gtest/gtest.h>

#include "core/box_muller.h"
#include "core/cpu_features.h"

namespace espalier {
namespace {

// Random123 1.14, tests/kat_vectors, lines "philox4x32 10".
static_assert(philox({{0, 0, 0, 0}}, 0, 0) == PhiloxBlock{{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}});
static_assert(philox({{~0U, ~0U, ~0U, ~0U}}, ~0U, ~0U) ==
              PhiloxBlock{{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}});
static_assert(philox({{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}}, 0xa4093822, 0x299f31d0) ==
              PhiloxBlock{{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}});

TEST(Philox, KnownAnswersAtRunTime) {
  // volatile, so that the compiler does not fold it
  volatile uint32_t zero = 0;
  EXPECT_EQ(philox({{zero, zero, zero, zero}}, zero, zero),
            (PhiloxBlock{{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}}));
}

TEST(Philox, StreamCounts) {
  constexpr uint64_t kSeed = 0x0123456789abcdef;
  constexpr uint64_t kOffset = 0xfffffffe;  // the counter's low word overflows
  for (uint64_t i = 0; i < 40; ++i) {
    const uint64_t index = kOffset + i / 4;
    const PhiloxBlock block = philox(
        {{static_cast<uint32_t>(index), static_cast<uint32_t>(index >> 32), 0, 0}}, 0x89abcdef, 0x01234567);
    EXPECT_EQ(philox_word(kSeed, kOffset, i), block.word[i % 4]);
    const uint64_t both = philox_word64(kSeed, kOffset, i);
    EXPECT_EQ(static_cast<uint32_t>(both), philox_word(kSeed, kOffset, 2 * i));
    EXPECT_EQ(both >> 32, philox_word(kSeed, kOffset, 2 * i + 1));
  }
  EXPECT_EQ(philox_blocks(0), 0U);
  EXPECT_EQ(philox_blocks(1), 1U);
  EXPECT_EQ(philox_blocks(4), 1U);
  EXPECT_EQ(philox_blocks(5), 2U);
  EXPECT_EQ(philox_blocks(5, 2), 3U);
  EXPECT_EQ(philox_blocks(~uint64_t{0}), uint64_t{1} << 62);
}

TEST(Philox, UniformEnds) {
  EXPECT_EQ(philox_uniform(uint32_t{0}), 0.0F);
  EXPECT_EQ(philox_uniform(~uint32_t{0}), 1.0F - 0x1p-24F);
  EXPECT_EQ(philox_uniform(uint32_t{0x80000000}), 0.5F);
  EXPECT_EQ(philox_uniform(uint64_t{0}), 0.0);
  EXPECT_EQ(philox_uniform(~uint64_t{0}), 1.0 - 0x1p-53);
  EXPECT_EQ(philox_uniform(uint64_t{1} << 63), 0.5);
  EXPECT_EQ(philox_uniform_above_zero(0), 0x1p-33F);
  EXPECT_EQ(philox_uniform_above_zero(~uint32_t{0}), 1.0F);
}

TEST(Philox, Bounded) {
  EXPECT_EQ(philox_bounded(~uint32_t{0}, uint32_t{10}), 9U);
  EXPECT_EQ(philox_bounded(uint32_t{0}, uint32_t{10}), 0U);
  EXPECT_EQ(philox_bounded(uint32_t{123}, uint32_t{0}), 0U);
  __extension__ using Wide = unsigned __int128;
  for (uint64_t i = 0; i < 2000; ++i) {
    const uint64_t word = philox_word64(1, 0, i);
    const uint64_t bound = philox_word64(2, 0, i) >> (i % 64);
    EXPECT_EQ(philox_bounded(word, bound), static_cast<uint64_t>((Wide{word} * bound) >> 64));
    EXPECT_EQ(
        philox_bounded(static_cast<uint32_t>(word), static_cast<uint32_t>(bound)),
        static_cast<uint32_t>((Wide{static_cast<uint32_t>(word)} * static_cast<uint32_t>(bound)) >> 32));
  }
}

// Every level that this CPU has; the cap is put back at the end.
class PhiloxFill : public testing::TestWithParam<CpuLevel> {
 protected:
  void SetUp() override {
    if (GetParam() > before_) GTEST_SKIP() << "the CPU lacks " << cpu_level_name(GetParam());
    set_cpu_level(GetParam());
  }
  void TearDown() override { set_cpu_level(before_); }

 private:
  CpuLevel before_ = cpu_level();
};

INSTANTIATE_TEST_SUITE_P(Levels, PhiloxFill,
                         testing::Values(CpuLevel::baseline, CpuLevel::avx2, CpuLevel::avx512),
                         [](const auto& level) { return std::string(cpu_level_name(level.param)); });

constexpr uint64_t kSeed = 0xfedcba9876543210;
constexpr uint64_t kOffset = 0xfffffff0;  // crosses the low word of the counter

// Fills at each start and length; compares with the scalar functions and checks that nothing beyond the end
// is written.
template <typename T, typename Fill, typename Element>
void expect_fill(Fill fill, Element element) {
  const T guard{42};
  for (const uint64_t first : {0, 1, 2, 3, 4, 5, 1022, 1023}) {
    for (const uint64_t length : {0, 1, 2, 3, 4, 5, 7, 31, 32, 33, 63, 64, 65, 127, 1021, 1024, 1027, 2500}) {
      std::vector<T> values(length + 1, guard);
      fill(first, std::span(values).first(length));
      for (uint64_t i = 0; i < length; ++i) ASSERT_EQ(values[i], element(first + i)) << first << " + " << i;
      ASSERT_EQ(values[length], guard) << first << ", " << length;
    }
  }
}

TEST_P(PhiloxFill, Words) {
  expect_fill<uint32_t>(
      [](uint64_t first, std::span<uint32_t> out) { philox_fill(kSeed, kOffset, first, out); },
      [](uint64_t i) { return philox_word(kSeed, kOffset, i); });
}

TEST_P(PhiloxFill, UniformFloats) {
  expect_fill<float>(
      [](uint64_t first, std::span<float> out) { philox_fill_uniform(kSeed, kOffset, first, out); },
      [](uint64_t i) { return philox_uniform(philox_word(kSeed, kOffset, i)); });
}

TEST_P(PhiloxFill, UniformDoubles) {
  expect_fill<double>(
      [](uint64_t first, std::span<double> out) { philox_fill_uniform(kSeed, kOffset, first, out); },
      [](uint64_t i) { return philox_uniform(philox_word64(kSeed, kOffset, i)); });
}

TEST_P(PhiloxFill, Normals) {
  expect_fill<float>(
      [](uint64_t first, std::span<float> out) { philox_fill_normal(kSeed, kOffset, first, out); },
      [](uint64_t i) { return philox_normal(kSeed, kOffset, i); });
}

TEST_P(PhiloxFill, ManyNormalsEqualTheScalarOnes) {
  std::vector<float> values(1 << 18);
  philox_fill_normal(7, 0, 0, values);
  for (uint64_t i = 0; i < values.size(); ++i) ASSERT_EQ(values[i], philox_normal(7, 0, i)) << i;
}

// Seen once, on the machine that first made them; a change of a bit breaks every seeded result that anyone
// has.
TEST_P(PhiloxFill, NormalsKeepTheirBits) {
  std::array<float, 4> values;
  philox_fill_normal(42, 0, 0, values);
  EXPECT_EQ(values, (std::array{-0x1.f0bcb8p-1F, 0x1.8d59dp-3F, -0x1.3c51a4p+0F, 0x1.ec8678p+0F}));
}

double ulps(float got, double exact) {
  int exponent = 0;
  std::frexp(exact, &exponent);
  return std::abs(got - exact) / std::ldexp(1.0, exponent - 24);
}

TEST(BoxMuller, LogIsAccurate) {
  double worst = 0;
  const auto check = [&](uint32_t word) {
    const float x = philox_uniform_above_zero(word);
    if (x < 1) worst = std::max(worst, ulps(portable_log(x), std::log(static_cast<double>(x))));
  };
  for (uint64_t word = 0; word < uint64_t{1} << 32; word += 4099) check(static_cast<uint32_t>(word));
  for (uint32_t i = 0; i < 10000; ++i) {
    check(i);
    check(~i);
  }
  EXPECT_LE(worst, 0.83);
  EXPECT_EQ(portable_log(1.0F), 0.0F);
}

TEST(BoxMuller, SineAndCosineAreAccurate) {
  double worst = 0;
  const auto check = [&](uint32_t turn) {
    // From the nearest quarter turn, or the double's own rounding of the angle would count near the zeros.
    const uint32_t quarter = (turn + 0x20000000U) >> 30;
    const double rest = static_cast<int32_t>(turn - (quarter << 30)) * (std::numbers::pi * 0x1p-31);
    const double s = std::sin(rest);
    const double c = std::cos(rest);
    const std::array<double, 4> sine = {s, c, -s, -c};
    const auto [got_sine, got_cosine] = portable_sincos(turn);
    if (rest != 0 || quarter % 2 == 1) worst = std::max(worst, ulps(got_sine, sine[quarter]));
    if (rest != 0 || quarter % 2 == 0) worst = std::max(worst, ulps(got_cosine, sine[(quarter + 1) % 4]));
  };
  for (uint64_t turn = 0; turn < uint64_t{1} << 32; turn += 4099) check(static_cast<uint32_t>(turn));
  for (uint32_t quarter = 0; quarter < 8; ++quarter) {
    for (uint32_t i = 0; i < 1000; ++i) check((quarter << 29) + i - 500);
  }
  EXPECT_LE(worst, 2.8);
}

TEST(BoxMuller, MomentsAreThoseOfANormal) {
  constexpr int kCount = 1 << 20;
  std::vector<float> values(kCount);
  philox_fill_normal(2024, 0, 0, values);
  double sum = 0, square = 0, fourth = 0, neighbours = 0;
  for (int i = 0; i < kCount; ++i) {
    const double x = values[i];
    sum += x;
    square += x * x;
    fourth += x * x * x * x;
    neighbours += x * values[i ^ 1];
  }
  // Five standard deviations: of the mean 1 / sqrt(n), of the square sqrt(2 / n), of the fourth power sqrt(96
  // / n); each pair of neighbours counts twice, so sqrt(2 / n).
  const double deviation = 5 / std::sqrt(kCount);
  EXPECT_NEAR(sum / kCount, 0, deviation);
  EXPECT_NEAR(square / kCount, 1, deviation * std::sqrt(2));
  EXPECT_NEAR(fourth / kCount, 3, deviation * std::sqrt(96));
  EXPECT_NEAR(neighbours / kCount, 0, deviation * std::sqrt(2));
  EXPECT_LE(*std::max_element(values.begin(), values.end()), 6.77F);
}

}  // namespace
}  // namespace espalier
