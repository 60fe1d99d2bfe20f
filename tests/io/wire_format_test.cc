#include "io/wire_format.h"

#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"
#include "tests/support/message_of.h"

namespace espalier::io {
namespace {

using espalier::test::message_of;
using testing::ElementsAre;
using testing::HasSubstr;

TEST(WireFormat, IsReadAsItIsWritten) {
  std::string bytes;
  WireWriter to(bytes);
  to.integer(1, std::numeric_limits<int64_t>::min());
  to.f32(2, 0.5F);
  to.bytes(300, "text");
  to.f64s(4, std::vector<double>{1, -2});
  to.f64(4, 3);
  to.message(5, [&] { to.integer(1, 7); });
  std::vector<unsigned> numbers;
  std::vector<double> doubles;
  for (WireReader field(bytes, "file"); field.next();) {
    numbers.push_back(field.number());
    if (field.number() == 1) {
      EXPECT_EQ(field.integer(), std::numeric_limits<int64_t>::min());
    }
    if (field.number() == 2) {
      EXPECT_EQ(field.f32(), 0.5F);
    }
    if (field.number() == 300) {
      EXPECT_EQ(field.text(), "text");
    }
    if (field.number() == 4) field.f64s(doubles);
    if (field.number() != 5) continue;
    WireReader inner(field.bytes(), "file");
    ASSERT_TRUE(inner.next());
    EXPECT_EQ(inner.integer(), 7);
    EXPECT_FALSE(inner.next());
  }
  EXPECT_THAT(numbers, ElementsAre(1, 2, 300, 4, 4, 5));
  EXPECT_THAT(doubles, ElementsAre(1, -2, 3));
}

TEST(WireFormat, RefusesDamage) {
  const auto refusal = [](std::string_view bytes) {
    return message_of<FormatError>([&] {
      for (WireReader field(bytes, "file"); field.next();) {
        std::vector<float> numbers;
        if (field.number() == 1) field.f32s(numbers);
        if (field.number() == 2) field.text();
      }
    });
  };
  EXPECT_EQ(refusal("\x08"),
            "[file] is damaged, or no file of this format: it ends inside a number (is it cut short?)");
  EXPECT_THAT(refusal("\x0a\x05...."), HasSubstr("a field of 5 bytes where 4 are left"));
  EXPECT_THAT(refusal("\x0a\x03..."), HasSubstr("ends inside a number"));
  EXPECT_THAT(refusal("\x02."), HasSubstr("a field of number 0"));
  EXPECT_THAT(refusal("\x80\x80\x80\x80\x10."), HasSubstr("a field of number 536870912"));
  EXPECT_THAT(refusal("\x0b"), HasSubstr("of a kind"));
  EXPECT_THAT(refusal("\x08\x01"), HasSubstr("has no bytes in a field 1"));
  EXPECT_THAT(refusal("\x12\x01\xff"), HasSubstr("UTF-8"));
  EXPECT_THAT(refusal("\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"), HasSubstr("more than 64 bits"));
}

}  // namespace
}  // namespace espalier::io
