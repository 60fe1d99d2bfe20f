#include "io/utf8.h"

#include <optional>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"

namespace espalier::io {
namespace {

using namespace std::string_literals;

/// The message of the FormatError that a text gives.
std::string utf8_refusal(const std::string& text) {
  try {
    check_utf8(text, "x.txt");
  } catch (const FormatError& error) {
    EXPECT_EQ(error.where(), "x.txt");
    return error.message();
  }
  return "none";
}

TEST(Utf8, EveryCodePointComesBack) {
  for (char32_t c = 0; c <= 0x10FFFF; ++c) {
    if (c >= 0xD800 && c <= 0xDFFF) continue;
    const std::string text = to_utf8(c);
    ASSERT_EQ(text.size(), c < 0x80      ? 1U
                           : c < 0x800   ? 2U
                           : c < 0x10000 ? 3U
                                         : 4U)
        << static_cast<uint32_t>(c);
    size_t at = 0;
    ASSERT_EQ(next_code_point(text, at), c);
    ASSERT_EQ(at, text.size());
  }
  for (const char32_t c : {char32_t{0xD800}, char32_t{0xDFFF}, char32_t{0x110000}})
    EXPECT_THROW(to_utf8(c), ValueError);
}

/// Whether two bytes are UTF-8, by the table of RFC 3629.
bool two_are_right(unsigned first, unsigned second) {
  if (first < 0x80) return second < 0x80;
  return first >= 0xC2 && first <= 0xDF && second >= 0x80 && second <= 0xBF;
}

TEST(Utf8, PairsOfBytesAreTakenAsTheStandardSays) {
  for (unsigned first = 0; first < 256; ++first) {
    for (unsigned second = 0; second < 256; ++second) {
      const std::string text{static_cast<char>(first), static_cast<char>(second)};
      ASSERT_EQ(utf8_refusal(text) == "none", two_are_right(first, second)) << first << ' ' << second;
    }
  }
}

TEST(Utf8, NamesTheByteOfWhatIsNone) {
  EXPECT_EQ(utf8_refusal("ab\x80"s), "is not UTF-8: byte 2, 0x80, begins no character; convert it to UTF-8");
  EXPECT_THAT(utf8_refusal("\xc3\xa9\xc0\xaf"s), testing::HasSubstr("byte 2, 0xc0")) << "an overlong slash";
  EXPECT_THAT(utf8_refusal("a\xe0\x9f\xbf"s), testing::HasSubstr("byte 1, 0xe0"))
      << "overlong in three bytes";
  EXPECT_THAT(utf8_refusal("\xf0\x8f\xbf\xbf"s), testing::HasSubstr("byte 0, 0xf0")) << "overlong in four";
  EXPECT_THAT(utf8_refusal("\xed\xa0\x80"s), testing::HasSubstr("byte 0, 0xed")) << "a surrogate";
  EXPECT_THAT(utf8_refusal("\xf4\x90\x80\x80"s), testing::HasSubstr("byte 0, 0xf4")) << "beyond U+10FFFF";
  EXPECT_THAT(utf8_refusal("\xf5\x80\x80\x80"s), testing::HasSubstr("byte 0, 0xf5"));
  EXPECT_EQ(utf8_refusal("\xed\x9f\xbf\xee\x80\x80\xf4\x8f\xbf\xbf"s), "none") << "the neighbours of those";
}

TEST(Utf8, CharactersCutAnywhereAreRefused) {
  for (const std::string whole : {"\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x8c\xb3"}) {
    EXPECT_EQ(utf8_refusal(whole), "none");
    for (size_t size = 1; size < whole.size(); ++size) {
      EXPECT_THAT(utf8_refusal("a" + whole.substr(0, size)), testing::HasSubstr("byte 1,"));
      EXPECT_THAT(utf8_refusal("a" + whole.substr(0, size) + "bcd"), testing::HasSubstr("byte 1,"));
    }
  }
}

}  // namespace
}  // namespace espalier::io
