#include "io/gzip.h"

#include <cstdlib>
#include <fstream>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"
#include "tests/support/checksum.h"
#include "tests/support/temporary_folder.h"

namespace espalier::io {
namespace {

using test::TemporaryFolder;
using testing::HasSubstr;

using Bytes = std::vector<unsigned char>;
constexpr size_t kPlenty = 1 << 20;

/// "abcabcabcabcabcabcabcabcabcabc", as gzip writes it.
const Bytes kDeflated = {0x1f, 0x8b, 0x08, 0,    0,    0,    0,    0,    2,    3, 0x4b, 0x4c, 0x4a,
                         0x4e, 0xc4, 0x8d, 0x00, 0x81, 0xfc, 0xb1, 0x48, 0x1e, 0, 0,    0};

/// A member whose deflate blocks are stored as they are.
Bytes stored(const std::string& text) {
  Bytes bytes = {0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255};
  size_t at = 0;
  do {
    const size_t size = std::min<size_t>(text.size() - at, 65535);
    bytes.push_back(at + size == text.size());
    for (const size_t number : {size, ~size}) test::append_number(bytes, number, 2);
    bytes.insert(bytes.end(), text.begin() + static_cast<std::ptrdiff_t>(at),
                 text.begin() + static_cast<std::ptrdiff_t>(at + size));
    at += size;
  } while (at < text.size());
  test::append_number(bytes, test::crc32(Bytes(text.begin(), text.end())), 4);
  test::append_number(bytes, text.size(), 4);
  return bytes;
}

std::string inflated(const Bytes& bytes, size_t limit = kPlenty) {
  const Bytes content = inflate_gzip_or_plain(bytes, limit);
  return {content.begin(), content.end()};
}

/// The message of the FormatError that inflating gives.
std::string gzip_refusal(const Bytes& bytes, size_t limit = kPlenty) {
  try {
    inflate_gzip_or_plain(bytes, limit, "x.gz");
  } catch (const FormatError& error) {
    EXPECT_EQ(error.where(), "x.gz");
    EXPECT_THAT(error.what(), testing::Not(HasSubstr("\n")));
    return error.message();
  }
  ADD_FAILURE() << "was taken";
  return "";
}

TEST(Gzip, InflatesWhatGzipWrites) {
  EXPECT_EQ(inflated(kDeflated), "abcabcabcabcabcabcabcabcabcabc");
  EXPECT_EQ(inflated(stored("")), "");
  std::string text;
  for (int i = 0; i < 200'000; ++i) text += static_cast<char>(i % 251);
  EXPECT_EQ(inflated(stored(text)), text);
}

TEST(Gzip, MembersInARowAreOneContent) {
  Bytes bytes = stored("first, ");
  for (const Bytes& more : {stored(""), stored("second, "), kDeflated})
    bytes.insert(bytes.end(), more.begin(), more.end());
  EXPECT_EQ(inflated(bytes), "first, second, abcabcabcabcabcabcabcabcabcabc");
}

TEST(Gzip, AnythingElseStaysAsItIs) {
  EXPECT_EQ(inflated({}), "");
  EXPECT_EQ(inflated({0x1f}), "\x1f");
  EXPECT_EQ(inflated({'a', 0x1f, 0x8b}), "a\x1f\x8b");
}

TEST(Gzip, TheLimitIsForTheContent) {
  EXPECT_EQ(inflated(kDeflated, 30).size(), 30U);
  EXPECT_THAT(gzip_refusal(kDeflated, 29), HasSubstr("more than 29 bytes"));
  EXPECT_EQ(inflated({'a', 'b'}, 2), "ab");
  EXPECT_THAT(gzip_refusal({'a', 'b'}, 1), HasSubstr("more than 1 bytes"));
  Bytes two = kDeflated;
  two.insert(two.end(), kDeflated.begin(), kDeflated.end());
  EXPECT_EQ(inflated(two, 60).size(), 60U);
  EXPECT_THAT(gzip_refusal(two, 59), HasSubstr("more than 59 bytes"));
  EXPECT_EQ(inflated(stored(""), 0), "");
}

TEST(Gzip, NoMoreIsAllocatedThanTwiceTheLimit) {
  const std::string text(100'000, 'x');
  const Bytes content = inflate_gzip_or_plain(stored(text), 100'001);
  EXPECT_LE(content.capacity(), 100'001U);
}

TEST(Gzip, AStreamCutAnywhereIsRefused) {
  for (const Bytes& whole : {kDeflated, stored("some text")}) {
    // One byte alone is no gzip yet.
    for (size_t size = 2; size < whole.size(); ++size)
      EXPECT_THAT(gzip_refusal({whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size)}),
                  HasSubstr("cut short"));
  }
}

TEST(Gzip, CorruptStreamsAreRefused) {
  const auto changed = [](size_t from_end) {
    Bytes bytes = stored("some text");
    bytes[bytes.size() - from_end] ^= 1;
    return bytes;
  };
  EXPECT_THAT(gzip_refusal(changed(1)), HasSubstr("length"));
  EXPECT_THAT(gzip_refusal(changed(5)), HasSubstr("data check"));
  EXPECT_THAT(gzip_refusal(changed(9)), HasSubstr("data check"));
  EXPECT_THAT(gzip_refusal(changed(19)), HasSubstr("corrupt"));
  EXPECT_THAT(gzip_refusal({0x1f, 0x8b, 7, 0, 0, 0, 0, 0, 0, 0}), HasSubstr("corrupt"));
  Bytes followed = kDeflated;
  followed.insert(followed.end(), {0, 0, 0});
  EXPECT_THAT(gzip_refusal(followed), HasSubstr("3 bytes follow"));
}

TEST(Gzip, ReadsFiles) {
  const TemporaryFolder folder;
  std::ofstream(folder / "x.gz", std::ios::binary)
      .write(reinterpret_cast<const char*>(kDeflated.data()), static_cast<std::streamsize>(kDeflated.size()));
  EXPECT_EQ(read_gzip_or_plain(folder / "x.gz", 30), inflate_gzip_or_plain(kDeflated, 30));
  EXPECT_THROW(read_gzip_or_plain(folder / "x.gz", 29), FormatError);
  EXPECT_THROW(read_gzip_or_plain(folder / "absent", kPlenty), IoError);
}

TEST(Gzip, ReadsMnist) {
  const char* const shared = std::getenv("ESPALIER_SHARED");
  const std::filesystem::path file =
      std::filesystem::path(shared ? shared : "../shared") / "data/mnist/t10k-images-idx3-ubyte.gz";
  if (!std::filesystem::exists(file))
    GTEST_SKIP() << "the files are not there: set ESPALIER_SHARED to the folder that holds data/mnist/";
  // A header of 16 bytes, then 10,000 images of 28 x 28.
  const Bytes content = read_gzip_or_plain(file, 16 + 7'840'000);
  ASSERT_EQ(content.size(), 16U + 7'840'000U);
  EXPECT_EQ(Bytes(content.begin(), content.begin() + 8), Bytes({0, 0, 8, 3, 0, 0, 0x27, 0x10}));
}

}  // namespace
}  // namespace espalier::io
