#include "core/dtype.h"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"

namespace espalier {
namespace {

TEST(Dtype, NamesSizesAndKinds) {
  for (int i = 0; i < kDtypeCount; ++i) {
    const auto dtype = static_cast<Dtype>(i);
    visit_dtype(dtype, [&](auto tag) {
      using T = typename decltype(tag)::type;
      EXPECT_EQ(dtype_of<T>(), dtype) << to_string(dtype);
      EXPECT_EQ(sizeof(T), size_of(dtype)) << to_string(dtype);
      EXPECT_EQ((std::is_integral_v<T> && !std::is_same_v<T, bool>), is_integer(dtype)) << to_string(dtype);
      EXPECT_EQ(!std::is_integral_v<T>, is_floating(dtype)) << to_string(dtype);
    });
  }
  EXPECT_EQ(to_string(Dtype::f8_e4m3), "f8_e4m3");
  EXPECT_EQ(to_string(Dtype::u64), "u64");
}

// torch.promote_types of PyTorch 2.15.0 for every pair of the types that compute, in the order of kTypes; the
// 8-bit floating types and u16, u32, u64 meet only themselves here (PyTorch refuses the former, too).
TEST(Promote, IsPyTorchs) {
  constexpr Dtype kTypes[] = {Dtype::f64, Dtype::f32, Dtype::f16, Dtype::bf16, Dtype::i8,
                              Dtype::u8,  Dtype::i16, Dtype::i32, Dtype::i64,  Dtype::boolean};
  constexpr const char* kTable[] = {
      "f64 f64 f64 f64 f64 f64 f64 f64 f64 f64",  "f64 f32 f32 f32 f32 f32 f32 f32 f32 f32",
      "f64 f32 f16 f32 f16 f16 f16 f16 f16 f16",  "f64 f32 f32 bf16 bf16 bf16 bf16 bf16 bf16 bf16",
      "f64 f32 f16 bf16 i8 i16 i16 i32 i64 i8",   "f64 f32 f16 bf16 i16 u8 i16 i32 i64 u8",
      "f64 f32 f16 bf16 i16 i16 i16 i32 i64 i16", "f64 f32 f16 bf16 i32 i32 i32 i32 i64 i32",
      "f64 f32 f16 bf16 i64 i64 i64 i64 i64 i64", "f64 f32 f16 bf16 i8 u8 i16 i32 i64 bool",
  };
  for (size_t a = 0; a < std::size(kTypes); ++a) {
    std::string row;
    for (const Dtype b : kTypes)
      row += std::string(row.empty() ? "" : " ") + std::string(to_string(promote(kTypes[a], b, "test")));
    EXPECT_EQ(row, kTable[a]) << to_string(kTypes[a]);
  }
}

TEST(Promote, RefusesTypesThatMeetOnlyThemselves) {
  for (const Dtype own : {Dtype::f8_e4m3, Dtype::f8_e5m2, Dtype::u16, Dtype::u32, Dtype::u64}) {
    EXPECT_EQ(promote(own, own, "test"), own);
    for (int i = 0; i < kDtypeCount; ++i) {
      const auto other = static_cast<Dtype>(i);
      if (other == own) continue;
      EXPECT_THROW(promote(own, other, "test"), TypeError) << to_string(own) << to_string(other);
      EXPECT_THROW(promote(other, own, "test"), TypeError) << to_string(own) << to_string(other);
    }
  }
  try {
    promote(Dtype::f8_e4m3, Dtype::f32, "add");
    FAIL() << "no error";
  } catch (const TypeError& error) {
    EXPECT_THAT(error.what(), testing::HasSubstr("[add] types f8_e4m3 and f32"));
  }
}

}  // namespace
}  // namespace espalier
