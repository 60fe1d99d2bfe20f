#include "io/image.h"

#include <fstream>
#include <iterator>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"
#include "ops/permute.h"
#include "tests/support/temporary_folder.h"

namespace espalier::io {
namespace {

using test::TemporaryFolder;
using testing::ElementsAre;
using testing::HasSubstr;

/// One of the small files that the fuzzer starts from, too.
std::vector<unsigned char> image_sample(const std::string& name) {
  std::ifstream file("tests/fuzz/corpus/image/" + name, std::ios::binary);
  EXPECT_TRUE(file.is_open()) << name;
  return {std::istreambuf_iterator<char>(file), {}};
}

/// The message of the FormatError that parsing gives, without a word on the terminal.
std::string image_refusal(std::span<const unsigned char> bytes) {
  testing::internal::CaptureStderr();
  std::string message;
  try {
    parse_image(bytes, "x.png");
    ADD_FAILURE() << "was taken";
  } catch (const FormatError& error) {
    EXPECT_EQ(error.where(), "x.png");
    EXPECT_THAT(error.what(), testing::Not(HasSubstr("\n")));
    message = error.message();
  }
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
  return message;
}

Tensor picture(int64_t channels, int64_t height, int64_t width) {
  const Tensor image = empty({channels, height, width}, Dtype::u8);
  auto* const bytes = static_cast<unsigned char*>(image.raw_data());
  for (int64_t i = 0; i < image.numel(); ++i) bytes[i] = static_cast<unsigned char>(i * i % 251);
  return image;
}

TEST(Image, PngComesBack) {
  const TemporaryFolder folder;
  for (const int64_t channels : {1, 3}) {
    for (const auto& [height, width] : {std::pair{1, 1}, {5, 3}, {2, 300}, {130, 70}}) {
      const Tensor image = picture(channels, height, width);
      save_png(folder / "x.png", image);
      const Tensor found = read_image(folder / "x.png");
      ASSERT_EQ(describe(found), describe(image));
      EXPECT_TRUE(found.is_contiguous());
      EXPECT_EQ(found.to_vector<uint8_t>(), image.to_vector<uint8_t>()) << describe(image);
    }
  }
}

TEST(Image, AnyStridesAreWritten) {
  const Tensor rows = picture(7, 5, 3);  // H, W, C in memory
  const Tensor image = permute(rows, {2, 0, 1});
  EXPECT_EQ(parse_image(encode_png(image)).to_vector<uint8_t>(), image.to_vector<uint8_t>());
}

TEST(Image, EveryKindOfPngBecomesGreyOrColour) {
  const Tensor bits = parse_image(image_sample("bits.png"));
  EXPECT_EQ(bits.shape(), Shape({1, 2, 10}));
  EXPECT_THAT(bits.to_vector<uint8_t>(), ElementsAre(255, 0, 255, 0, 255, 0, 255, 0, 255, 0,  //
                                                     0, 0, 0, 0, 0, 255, 255, 255, 255, 255));
  const Tensor palette = parse_image(image_sample("palette.png"));  // its first two colours are transparent
  EXPECT_EQ(palette.shape(), Shape({3, 1, 4}));
  EXPECT_THAT(palette.to_vector<uint8_t>(), ElementsAre(255, 0, 0, 9, 0, 255, 0, 8, 0, 0, 255, 7));
  EXPECT_THAT(parse_image(image_sample("alpha.png")).to_vector<uint8_t>(),
              ElementsAre(10, 40, 20, 50, 30, 60))
      << "also where nothing shows";
  EXPECT_THAT(parse_image(image_sample("grey_alpha.png")).to_vector<uint8_t>(), ElementsAre(10, 40));
  EXPECT_THAT(parse_image(image_sample("deep.png")).to_vector<uint8_t>(), ElementsAre(0, 0, 1, 255))
      << "0, 128, 129 and 65535 over 257, rounded";
  EXPECT_THAT(parse_image(image_sample("interlaced.png")).to_vector<uint8_t>(),
              ElementsAre(0, 1, 2, 3, 4, 10, 11, 12, 13, 14, 20, 21, 22, 23, 24));
}

TEST(Image, JpegIsWhatWasEncoded) {
  // The files were made of these values; quality 90 changed none by more than 4, quality 60 by more than 20.
  for (const auto& [name, tolerance] : {std::pair{"colour.jpg", 4}, {"progressive.jpg", 20}}) {
    const Tensor image = parse_image(image_sample(name));
    ASSERT_EQ(describe(image), "u8[3, 8, 16]");
    const std::vector<uint8_t> values = image.to_vector<uint8_t>();
    for (size_t y = 0; y < 8; ++y) {
      for (size_t x = 0; x < 16; ++x) {
        const size_t at = y * 16 + x;
        EXPECT_NEAR(values[at], 16.0 * x, tolerance) << name << ' ' << y << ' ' << x;
        EXPECT_NEAR(values[128 + at], 32.0 * y, tolerance) << name << ' ' << y << ' ' << x;
        EXPECT_NEAR(values[256 + at], 255 - 8.0 * x, tolerance) << name << ' ' << y << ' ' << x;
      }
    }
  }
  const Tensor grey = parse_image(image_sample("grey.jpg"));
  ASSERT_EQ(describe(grey), "u8[1, 8, 16]");
  EXPECT_EQ(grey.to_vector<uint8_t>()[128 - 2], 224);
}

TEST(Image, AFileCutAnywhereIsRefused) {
  for (const char* name : {"bits.png", "palette.png", "interlaced.png", "deep.png", "colour.jpg",
                           "progressive.jpg", "grey.jpg"}) {
    const std::vector<unsigned char> whole = image_sample(name);
    for (size_t size = 0; size < whole.size(); ++size) {
      SCOPED_TRACE(std::string(name) + " cut to " + std::to_string(size));
      image_refusal(std::span(whole).first(size));
    }
  }
}

TEST(Image, DamageNeverDoesMoreThanThrow) {
  // A flipped byte may leave an image (in a JPEG, mostly another one), but nothing else.
  for (const char* name : {"palette.png", "interlaced.png", "colour.jpg", "progressive.jpg"}) {
    const std::vector<unsigned char> whole = image_sample(name);
    int refused = 0;
    for (size_t i = 0; i < whole.size(); ++i) {
      std::vector<unsigned char> bytes = whole;
      bytes[i] ^= 0xff;
      try {
        parse_image(bytes);
      } catch (const FormatError&) {
        ++refused;
      }
    }
    EXPECT_GT(refused, 20) << name;
  }
}

TEST(Image, WhatIsNoImageIsRefused) {
  EXPECT_THAT(image_refusal({}), HasSubstr("is empty"));
  const std::string text = "GIF89a and so on";
  const std::span letters(reinterpret_cast<const unsigned char*>(text.data()), text.size());
  EXPECT_THAT(image_refusal(letters), HasSubstr("neither as a PNG nor as a JPEG"));
  EXPECT_THAT(image_refusal(image_sample("cmyk.jpg")), HasSubstr("a JPEG of 4 components"));
  std::vector<unsigned char> bytes = image_sample("palette.png");
  bytes[bytes.size() - 14] ^= 1;  // the pixels' checksum
  EXPECT_THAT(image_refusal(bytes), HasSubstr("IDAT: CRC error"));
  const TemporaryFolder folder;
  EXPECT_THROW(read_image(folder / "none.png"), IoError);
  std::ofstream(folder / "empty.png").close();
  EXPECT_THROW(read_image(folder / "empty.png"), FormatError);
}

TEST(Image, ClaimsAreCheckedBeforeAnythingIsAllocated) {
  EXPECT_THAT(image_refusal(image_sample("huge.png")),
              HasSubstr("claims 60000 x 60000 pixels, more than the 67108864 that are read"));
  EXPECT_THAT(image_refusal(image_sample("hollow.png")),
              HasSubstr("claims 5000 x 5000 pixels, more than its 68 bytes can hold (is it cut short?)"));
  EXPECT_THAT(image_refusal(image_sample("huge.jpg")), HasSubstr("claims 60000 x 60000 pixels"));
}

TEST(Image, TheMostCompressiblePngIsNoHollowOne) {
  const Tensor black = zeros({3, 2000, 2000}, Dtype::u8);
  const std::vector<unsigned char> bytes = encode_png(black);
  EXPECT_LT(bytes.size(), 20'000u);  // a thousandth of the pixels
  EXPECT_EQ(parse_image(bytes).shape(), black.shape());
}

TEST(Image, OnlyImagesAreWritten) {
  const TemporaryFolder folder;
  EXPECT_THROW(encode_png(Tensor()), ValueError);
  EXPECT_THROW(encode_png(zeros({1, 2, 2})), TypeError);
  EXPECT_THROW(encode_png(zeros({2, 2}, Dtype::u8)), ShapeError);
  EXPECT_THROW(encode_png(zeros({4, 2, 2}, Dtype::u8)), ShapeError);
  EXPECT_THROW(encode_png(zeros({1, 0, 2}, Dtype::u8)), ShapeError);
  EXPECT_THROW(encode_png(empty({1, 1, 1'000'001}, Dtype::u8, kMeta)), ShapeError);
  EXPECT_THROW(encode_png(empty({1, 1 << 14, 1 << 14}, Dtype::u8, kMeta)), ShapeError);
  EXPECT_THROW(encode_png(empty({1, 2, 2}, Dtype::u8, kMeta)), DeviceError);
  EXPECT_THROW(save_png(folder / "x.png", zeros({1, 2, 2})), TypeError);
  EXPECT_FALSE(std::filesystem::exists(folder / "x.png"));
}

}  // namespace
}  // namespace espalier::io
