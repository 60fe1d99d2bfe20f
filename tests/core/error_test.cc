#include "core/error.h"

#include <gtest/gtest.h>

namespace espalier {
namespace {

TEST(Error, SaysWhereAndWhat) {
  const ShapeError error("matmul", "f32[2] and f32[3]");
  EXPECT_STREQ(error.what(), "[matmul] f32[2] and f32[3]");
  EXPECT_EQ(error.where(), "matmul");
  EXPECT_EQ(error.message(), "f32[2] and f32[3]");
}

TEST(Error, IsOneLineWhateverAFileIsCalled) {
  const IoError error("a\nb", "no\r\nroom");
  EXPECT_STREQ(error.what(), "[a b] no  room");
  EXPECT_EQ(error.where(), "a\nb");
}

}  // namespace
}  // namespace espalier
