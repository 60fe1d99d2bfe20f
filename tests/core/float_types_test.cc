#include "core/float_types.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "core/cpu_features.h"
#include "tests/support/special_values.h"

namespace espalier {
namespace {

using test::kInfinity;

// The formats as their standards write them down; `kSpecial` and above (as a magnitude's bits) are infinity
// or NaN.
template <typename T>
struct Format;
template <>
struct Format<bfloat16> {
  static constexpr int kExponentBits = 8, kMantissaBits = 7, kBias = 127;
  static constexpr uint32_t kSpecial = 0x7F80, kOverflow = 0x7F80, kNan = 0x7FC0;
};
template <>
struct Format<float16> {
  static constexpr int kExponentBits = 5, kMantissaBits = 10, kBias = 15;
  static constexpr uint32_t kSpecial = 0x7C00, kOverflow = 0x7C00, kNan = 0x7E00;
};
template <>
struct Format<float8_e4m3> {
  static constexpr int kExponentBits = 4, kMantissaBits = 3, kBias = 7;
  static constexpr uint32_t kSpecial = 0x7F, kOverflow = 0x7E, kNan = 0x7F;
};
template <>
struct Format<float8_e5m2> {
  static constexpr int kExponentBits = 5, kMantissaBits = 2, kBias = 15;
  static constexpr uint32_t kSpecial = 0x7C, kOverflow = 0x7C, kNan = 0x7F;
};

template <typename T>
class FloatType : public testing::Test {
 protected:
  using F = Format<T>;
  static constexpr uint32_t kSign = 1U << (F::kExponentBits + F::kMantissaBits);

  FloatType() {
    for (uint32_t bits = 0; bits <= F::kSpecial; ++bits) values_.push_back(value_of(bits));
  }

  // The value of a magnitude by its definition; for `kSpecial` what would come next, were it finite.
  static double value_of(uint32_t bits) {
    const int exponent = static_cast<int>(bits >> F::kMantissaBits);
    const double mantissa = std::ldexp(bits & ((1U << F::kMantissaBits) - 1), -F::kMantissaBits);
    return exponent == 0 ? std::ldexp(mantissa, 1 - F::kBias) : std::ldexp(1 + mantissa, exponent - F::kBias);
  }

  // Searches all values for the nearest one.
  uint32_t nearest(float x) const {
    const uint32_t sign = std::signbit(x) ? kSign : 0;
    if (std::isnan(x)) return sizeof(T) == 2 && F::kExponentBits == 8 ? F::kNan : sign | F::kNan;
    const double magnitude = std::min<double>(std::abs(x), 2 * values_.back());
    const auto above = static_cast<uint32_t>(std::lower_bound(values_.begin(), values_.end() - 1, magnitude) -
                                             values_.begin());
    uint32_t bits = above;
    if (above > 0) {
      const double up = values_[above] - magnitude;
      const double down = magnitude - values_[above - 1];
      if (down < up || (down == up && above % 2 == 1)) bits = above - 1;
    }
    return sign | (bits >= F::kSpecial ? F::kOverflow : bits);
  }

  void expect_rounded(float x) const {
    ASSERT_EQ(T(x).bits, nearest(x)) << std::hexfloat << x << ", bits " << std::bit_cast<uint32_t>(x);
  }

  std::vector<double> values_;
};

using Types = testing::Types<bfloat16, float16, float8_e4m3, float8_e5m2>;
TYPED_TEST_SUITE(FloatType, Types);

TYPED_TEST(FloatType, EveryPatternHasItsValue) {
  using Standard = Format<TypeParam>;
  using Bits = decltype(TypeParam::bits);
  for (uint32_t bits = 0; bits < 2 * this->kSign; ++bits) {
    const auto x = static_cast<float>(TypeParam::from_bits(static_cast<Bits>(bits)));
    const uint32_t magnitude = bits & (this->kSign - 1);
    ASSERT_EQ(std::signbit(x), (bits & this->kSign) != 0) << bits;
    if (magnitude < Standard::kSpecial) {
      ASSERT_EQ(std::abs(x), this->values_[magnitude]) << bits;
      ASSERT_EQ(TypeParam(x).bits, bits);
    } else if (magnitude == Standard::kSpecial && Standard::kOverflow == Standard::kSpecial) {
      ASSERT_EQ(std::abs(x), kInfinity) << bits;
      ASSERT_EQ(TypeParam(x).bits, bits);
    } else {
      ASSERT_TRUE(std::isnan(x)) << bits;
    }
  }
}

TYPED_TEST(FloatType, TiesAndTheirNeighboursRoundToEven) {
  for (size_t i = 0; i + 1 < this->values_.size(); ++i) {
    const auto middle = static_cast<float>((this->values_[i] + this->values_[i + 1]) / 2);
    for (const float x : {middle, std::nextafter(middle, 0.0F), std::nextafter(middle, kInfinity)}) {
      this->expect_rounded(x);
      this->expect_rounded(-x);
    }
  }
}

TYPED_TEST(FloatType, FloatsOfAllSizesRoundToTheNearest) {
  // 65521 is odd, so that the low bits vary, too.
  for (uint64_t bits = 0; bits < uint64_t{1} << 32; bits += 65521) {
    this->expect_rounded(std::bit_cast<float>(static_cast<uint32_t>(bits)));
  }
  for (const float x : {0.0F, -0.0F, kInfinity, -kInfinity, std::numeric_limits<float>::denorm_min(),
                        std::numeric_limits<float>::max(), std::numeric_limits<float>::lowest(),
                        std::numeric_limits<float>::quiet_NaN(), -std::numeric_limits<float>::quiet_NaN(),
                        std::bit_cast<float>(0x7F800001U), std::bit_cast<float>(0xFFFFFFFFU)}) {
    this->expect_rounded(x);
  }
}

TYPED_TEST(FloatType, ComparesAsAFloat) {
  const TypeParam nan(std::numeric_limits<float>::quiet_NaN());
  EXPECT_FALSE(nan == nan);
  EXPECT_TRUE(TypeParam(0.0F) == TypeParam(-0.0F));
  EXPECT_TRUE(TypeParam(1.5F) == TypeParam(1.5F));
  EXPECT_TRUE(TypeParam(1.5F) != TypeParam(1.0F));
}

TYPED_TEST(FloatType, BulkConversionGivesTheSameBitsAtEveryLevel) {
  std::vector<float> floats;
  for (uint64_t bits = 0; bits < uint64_t{1} << 32; bits += 1048573) {
    floats.push_back(std::bit_cast<float>(static_cast<uint32_t>(bits)));
  }
  for (const double value : this->values_) floats.push_back(static_cast<float>(value));
  const CpuLevel best = cpu_level();
  for (const CpuLevel level : {CpuLevel::baseline, CpuLevel::avx2, CpuLevel::avx512}) {
    if (level > best) continue;
    set_cpu_level(level);
    for (const size_t count : {size_t{0}, size_t{1}, size_t{15}, size_t{33}, floats.size()}) {
      std::vector<TypeParam> narrow(count + 1, TypeParam(3.0F));
      std::vector<float> wide(count + 1, 3.0F);
      convert(floats.data(), narrow.data(), static_cast<int64_t>(count));
      convert(narrow.data(), wide.data(), static_cast<int64_t>(count));
      for (size_t i = 0; i < count; ++i) {
        ASSERT_EQ(narrow[i].bits, TypeParam(floats[i]).bits) << floats[i];
        ASSERT_EQ(std::bit_cast<uint32_t>(wide[i]), std::bit_cast<uint32_t>(static_cast<float>(narrow[i])));
      }
      EXPECT_EQ(narrow[count], TypeParam(3.0F));
      EXPECT_EQ(wide[count], 3.0F);
    }
  }
  set_cpu_level(best);
}

// What PyTorch 2.15 prints for torch.tensor(x).to(type).view(torch.uint8 or int16).
TEST(FloatTypes, EndsAreThoseOfPyTorch) {
  EXPECT_EQ(float8_e4m3(464.0F).bits, 126);
  EXPECT_EQ(float8_e4m3(480.0F).bits, 126);
  EXPECT_EQ(float8_e4m3(1e9F).bits, 126);
  EXPECT_EQ(float8_e4m3(kInfinity).bits, 126);
  EXPECT_EQ(float8_e4m3(-kInfinity).bits, 254);
  EXPECT_EQ(float8_e4m3(std::numeric_limits<float>::quiet_NaN()).bits, 127);
  EXPECT_EQ(float8_e5m2(61439.0F).bits, 123);
  EXPECT_EQ(float8_e5m2(61440.0F).bits, 124);
  EXPECT_EQ(float8_e5m2(-kInfinity).bits, 252);
  EXPECT_EQ(float16(65519.0F).bits, 0x7BFF);
  EXPECT_EQ(float16(65520.0F).bits, 0x7C00);
  EXPECT_EQ(bfloat16(std::numeric_limits<float>::max()).bits, 0x7F80);
}

static_assert(static_cast<float>(float16(1.0F / 3)) == 0x1.554p-2F, "conversions are usable in constants");

}  // namespace
}  // namespace espalier
