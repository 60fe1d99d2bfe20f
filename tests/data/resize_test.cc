#include "data/resize.h"

#include <cmath>
#include <limits>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/create.h"
#include "core/error.h"
#include "core/parallel.h"
#include "io/image.h"
#include "ops/permute.h"
#include "ops/slice.h"
#include "tests/support/message_of.h"

namespace espalier::data {
namespace {

using test::message_of;
using testing::ElementsAre;

/// Images without a pattern; every value of u8 occurs.
Tensor noise(const Shape& shape, Dtype dtype) {
  const Tensor images = empty(shape, dtype);
  for (int64_t i = 0; i < images.numel(); ++i) {
    const auto value = static_cast<uint8_t>((i * i * 7919 + i * 104729) % 65521 >> 3);
    if (dtype == Dtype::u8)
      static_cast<uint8_t*>(images.raw_data())[i] = value;
    else
      static_cast<float*>(images.raw_data())[i] = static_cast<float>(value) / 64 - 2;
  }
  return images;
}

std::vector<double> values(const Tensor& images) {
  if (images.dtype() == Dtype::u8) {
    const std::vector<uint8_t> bytes = images.to_vector<uint8_t>();
    return {bytes.begin(), bytes.end()};
  }
  const std::vector<float> floats = images.to_vector<float>();
  return {floats.begin(), floats.end()};
}

/// How much pixel `from` of an axis of `size` counts for pixel `to` of one of `whole`, before the weights are
/// made to add up to one. Looks at every pair: slow, and without bounds that could be wrong.
double weight(int64_t from, int64_t to, int64_t size, int64_t whole) {
  const double scale = static_cast<double>(size) / static_cast<double>(whole), reach = std::fmax(scale, 1);
  const double apart = (static_cast<double>(from) + 0.5) - (static_cast<double>(to) + 0.5) * scale;
  return std::fmax(0, 1 - std::fabs(apart) / reach);
}

/// The definition, both axes at once, for the pixels [top, top + kept) of `height` and so on of each plane.
std::vector<double> reference(const Tensor& images, int64_t height, int64_t width, int64_t top, int64_t left,
                              int64_t kept_height, int64_t kept_width) {
  const std::vector<double> from = values(images);
  const int64_t rows = images.size(-2), columns = images.size(-1), plane = rows * columns;
  std::vector<double> result;
  for (int64_t first = 0; first < images.numel(); first += plane) {
    for (int64_t y = top; y < top + kept_height; ++y) {
      for (int64_t x = left; x < left + kept_width; ++x) {
        double sum = 0, total = 0;
        for (int64_t i = 0; i < plane; ++i) {
          const double share = weight(i / columns, y, rows, height) * weight(i % columns, x, columns, width);
          sum += share * from[static_cast<size_t>(first + i)];
          total += share;
        }
        result.push_back(sum / total);
      }
    }
  }
  return result;
}

void expect_near(const Tensor& found, const std::vector<double>& expected, const std::string& what) {
  const std::vector<double> all = values(found);
  ASSERT_EQ(all.size(), expected.size()) << what;
  // Rounding to a level, and single precision: sums of a few hundred products of numbers up to 255 or 2.
  const double tolerance = found.dtype() == Dtype::u8 ? 0.5 + 1e-3 : 1e-5;
  for (size_t i = 0; i < all.size(); ++i)
    ASSERT_NEAR(all[i], expected[i], tolerance) << what << ", element " << i;
}

TEST(Resize, IsTheMeanThatItsDefinitionAsksFor) {
  struct Case {
    Shape from;
    int64_t height, width;
  };
  for (const auto& [from, height, width] :
       std::vector<Case>{{{1, 7, 5}, 3, 2},      // both axes shrink
                         {{3, 4, 6}, 9, 13},     // both grow
                         {{2, 11, 3}, 4, 8},     // one of each
                         {{2, 3, 20, 9}, 1, 1},  // a batch; the mean of all, almost
                         {{1, 1, 1}, 3, 4},
                         {{1, 16, 16}, 8, 8},
                         {{1, 31, 1}, 30, 1}}) {
    for (const Dtype dtype : {Dtype::u8, Dtype::f32}) {
      const Tensor images = noise(from, dtype);
      const Tensor found = resize(images, height, width);
      const std::string what = describe(images) + " at " + describe(found);
      Shape shape = from;
      shape[shape.rank() - 2] = height;
      shape[shape.rank() - 1] = width;
      ASSERT_EQ(found.shape(), shape) << what;
      ASSERT_EQ(found.dtype(), dtype) << what;
      EXPECT_TRUE(found.is_contiguous()) << what;
      expect_near(found, reference(images, height, width, 0, 0, height, width), what);
    }
  }
}

TEST(Resize, GivesValuesThatCanBeFoundByHand) {
  // Twice as wide: pixels between two of the image take a quarter of one and three of the other.
  EXPECT_THAT(resize(from_values<float>({0, 8, 4}, {1, 1, 3}), 1, 6).to_vector<float>(),
              ElementsAre(0, 2, 6, 7, 5, 4));
  // Half as wide: 1, 3, 3, 1 eighths; at the edge what is there of them, 3, 3, 1 sevenths.
  EXPECT_THAT(resize(from_values<float>({7, 14, 0, 8}, {1, 1, 4}), 1, 2).to_vector<float>(),
              ElementsAre(testing::FloatEq(9), testing::FloatEq(38.0F / 7)));
  // 127.5 becomes 128.
  EXPECT_THAT(resize(from_values<uint8_t>({0, 255}, {1, 2, 1}), 1, 1).to_vector<uint8_t>(), ElementsAre(128));
}

TEST(Resize, LeavesWhatHasTheSizeAsItIs) {
  Tensor images = noise({2, 3, 9, 14}, Dtype::f32);
  images.mutable_data<float>()[5] = std::numeric_limits<float>::infinity();
  images.mutable_data<float>()[77] = 1e-40F;
  EXPECT_EQ(resize(images, 9, 14).to_vector<float>(), images.to_vector<float>());
  const Tensor bytes = noise({3, 16, 17}, Dtype::u8);
  EXPECT_EQ(resize(bytes, 16, 17).to_vector<uint8_t>(), bytes.to_vector<uint8_t>());
}

TEST(Resize, ConstantImagesStayConstant) {
  for (const int64_t height : {1, 2, 37, 100}) {
    for (const int64_t width : {1, 3, 50, 400}) {
      for (const int level : {0, 1, 128, 254, 255}) {
        const Tensor image = resize(full({1, 37, 300}, level, Dtype::u8), height, width);
        EXPECT_THAT(image.to_vector<uint8_t>(), testing::Each(level)) << describe(image);
      }
    }
  }
  EXPECT_THAT(resize(full({1, 3000, 1000}, 255, Dtype::u8), 1, 1).to_vector<uint8_t>(), ElementsAre(255));
}

TEST(Resize, TakesFinePatternsAway) {
  // Stripes of a pixel each are grey from afar, not black or white.
  Tensor stripes = zeros({1, 60, 60}, Dtype::u8);
  for (int64_t i = 0; i < stripes.numel(); i += 2) stripes.mutable_data<uint8_t>()[i] = 200;
  EXPECT_THAT(resize(stripes, 20, 20).to_vector<uint8_t>(),
              testing::Each(testing::AllOf(testing::Ge(80), testing::Le(120))));
}

TEST(Resize, TakesAnyStridesAndAnyNumberOfThreads) {
  const Tensor rows = noise({45, 35, 3}, Dtype::u8);  // H, W, C in memory
  const Tensor image = permute(rows, {2, 0, 1});
  const Tensor found = resize(image, 20, 25);
  expect_near(found, reference(image, 20, 25, 0, 0, 20, 25), "permuted");
  for (const int threads : {1, 3}) {
    const ThreadCountGuard guard(threads);
    EXPECT_EQ(resize(image, 20, 25).to_vector<uint8_t>(), found.to_vector<uint8_t>()) << threads;
  }
}

TEST(Resize, NoImagesGiveNone) {
  EXPECT_EQ(describe(resize(empty({0, 3, 4, 4}, Dtype::u8), 2, 2)), "u8[0, 3, 2, 2]");
  EXPECT_EQ(describe(middle_square(empty({2, 0, 4, 4}), 2)), "f32[2, 0, 2, 2]");
}

TEST(Resize, SaysWhatItDoesNotTake) {
  const Tensor image = zeros({1, 4, 4}, Dtype::u8);
  EXPECT_EQ(message_of<ShapeError>([] { resize(zeros({4, 4}), 2, 2); }),
            "[resize] f32[4, 4] is no image [C, H, W], nor images [N, C, H, W]");
  EXPECT_EQ(message_of<ShapeError>([] { resize(zeros({1, 0, 4}), 2, 2); }),
            "[resize] f32[1, 0, 4] has no pixels to resize");
  EXPECT_EQ(message_of<TypeError>([] { resize(zeros({1, 4, 4}, Dtype::f64), 2, 2); }),
            "[resize] f64[1, 4, 4]; images are u8 or f32");
  EXPECT_EQ(
      message_of<ValueError>([&] { resize(image, 2, 0); }),
      "[resize] a result of height 2 and width 0; expected at least 1 each and at most 67108864 pixels");
  for (const int64_t side : {int64_t{-1}, (int64_t{1} << 13) + 1, int64_t{1} << 32,
                             std::numeric_limits<int64_t>::max(), std::numeric_limits<int64_t>::min()}) {
    EXPECT_THROW(resize(image, side, side), ValueError) << side;
    EXPECT_THROW(middle_square(image, side), ValueError) << side;
  }
  EXPECT_THROW(resize(image, 1, io::kMaxImagePixels + 1), ValueError);
  EXPECT_THROW(resize(Tensor(), 2, 2), ValueError);
  EXPECT_EQ(message_of<DeviceError>([] { middle_square(empty({1, 4, 4}, Dtype::u8, kMeta), 2); }),
            "[middle_square] u8[1, 4, 4] on meta is not in the host's memory; copy it to cpu first");
}

TEST(MiddleSquare, IsTheMiddleOfTheResizedImage) {
  struct Case {
    Shape from;
    int64_t size, height, width;  // of what the middle is cut out of
  };
  for (const auto& [from, size, height, width] : std::vector<Case>{{{3, 20, 31}, 8, 8, 12},
                                                                   {{1, 50, 17}, 6, 17, 6},
                                                                   {{2, 1, 5, 9}, 7, 7, 12},
                                                                   {{1, 12, 12}, 5, 5, 5},
                                                                   {{1, 2, 3}, 1, 1, 1}}) {
    for (const Dtype dtype : {Dtype::u8, Dtype::f32}) {
      const Tensor images = noise(from, dtype);
      const Tensor found = middle_square(images, size);
      const int64_t top = (height - size) / 2, left = (width - size) / 2;
      const Tensor cut = narrow(narrow(resize(images, height, width), -2, top, size), -1, left, size);
      ASSERT_EQ(describe(found), describe(cut));
      EXPECT_EQ(values(found), values(cut)) << describe(images);
      expect_near(found, reference(images, height, width, top, left, size, size), describe(images));
    }
  }
}

TEST(MiddleSquare, ALongImageNeedsNoMoreMemoryThanItself) {
  // Resized in whole, this one would have 224 x 224,000,000 pixels.
  const Tensor found = middle_square(full({1, 1, 1'000'000}, 7, Dtype::u8), 224);
  EXPECT_EQ(describe(found), "u8[1, 224, 224]");
  EXPECT_THAT(found.to_vector<uint8_t>(), testing::Each(7));
}

}  // namespace
}  // namespace espalier::data
