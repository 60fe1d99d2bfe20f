#include "io/idx.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"

namespace espalier::io {
namespace {

using testing::ElementsAre;
using Bytes = std::vector<unsigned char>;

TEST(Idx, ReadsAllTypesBigEndian) {
  EXPECT_THAT(parse_idx(Bytes{0, 0, 0x08, 1, 0, 0, 0, 2, 7, 255}).to_vector<uint8_t>(), ElementsAre(7, 255));
  EXPECT_THAT(parse_idx(Bytes{0, 0, 0x09, 1, 0, 0, 0, 2, 7, 255}).to_vector<int8_t>(), ElementsAre(7, -1));
  EXPECT_THAT(parse_idx(Bytes{0, 0, 0x0B, 1, 0, 0, 0, 2, 1, 2, 255, 254}).to_vector<int16_t>(),
              ElementsAre(258, -2));
  EXPECT_THAT(parse_idx(Bytes{0, 0, 0x0C, 1, 0, 0, 0, 1, 1, 2, 3, 4}).to_vector<int32_t>(),
              ElementsAre(0x01020304));
  EXPECT_THAT(parse_idx(Bytes{0, 0, 0x0D, 1, 0, 0, 0, 1, 0x3F, 0xC0, 0, 0}).to_vector<float>(),
              ElementsAre(1.5F));
  EXPECT_THAT(parse_idx(Bytes{0, 0, 0x0E, 0, 0xBF, 0xF8, 0, 0, 0, 0, 0, 0}).to_vector<double>(),
              ElementsAre(-1.5));
}

TEST(Idx, AxesAreInTheirOrder) {
  const Tensor tensor = parse_idx(Bytes{0, 0, 8, 2, 0, 0, 0, 2, 0, 0, 0, 3, 1, 2, 3, 4, 5, 6});
  EXPECT_EQ(describe(tensor), "u8[2, 3]");
  EXPECT_EQ(tensor.data<uint8_t>()[3], 4);
  EXPECT_EQ(describe(parse_idx(Bytes{0, 0, 8, 2, 255, 255, 255, 255, 0, 0, 0, 0})), "u8[4294967295, 0]");
}

std::string idx_refusal(const Bytes& bytes) {
  try {
    parse_idx(bytes, "f");
  } catch (const FormatError& error) {
    return error.message();
  }
  return "no error";
}

TEST(Idx, RefusesWhatIsNotWellFormed) {
  const std::string no_idx = "is not an IDX file: it does not begin with two zero bytes, type and rank";
  EXPECT_EQ(idx_refusal({}), no_idx);
  EXPECT_EQ(idx_refusal({0, 0, 8}), no_idx);
  EXPECT_EQ(idx_refusal({1, 0, 8, 0, 1}), no_idx);
  EXPECT_EQ(idx_refusal({0, 1, 8, 0, 1}), no_idx);
  EXPECT_EQ(idx_refusal({0, 0, 7, 0, 1}), "has the unknown IDX type 7");
  EXPECT_EQ(idx_refusal({0, 0, 8, 9, 1}), "has 9 axes; a tensor has at most 8");
  EXPECT_EQ(idx_refusal({0, 0, 8, 1, 0, 0, 0}), "is cut short in its header");
  EXPECT_EQ(idx_refusal({0, 0, 8, 1, 0, 0, 0, 2, 1}),
            "has 1 bytes of elements, other than those of u8[2]; the file is cut short");
  EXPECT_EQ(idx_refusal({0, 0, 8, 1, 0, 0, 0, 2, 1, 2, 3}),
            "has 3 bytes of elements, other than those of u8[2]");
  EXPECT_EQ(idx_refusal({0, 0, 8, 1, 0, 0, 0, 0, 1}), "has 1 bytes of elements, other than those of u8[0]");
}

TEST(Idx, SizesWhoseProductWrapsAreRefused) {
  // 2^32 - 1 sixteen times over is more than 64 bits hold; with 8 axes of 2^16 the product wraps to 0.
  Bytes bytes{0, 0, 8, 8};
  for (int axis = 0; axis < 8; ++axis) bytes.insert(bytes.end(), {0, 1, 0, 0});
  EXPECT_THAT(idx_refusal(bytes), testing::EndsWith("has more elements than 64 bits can address"));
}

}  // namespace
}  // namespace espalier::io
