#include "data/transforms.h"

#include <cmath>
#include <functional>
#include <numbers>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/create.h"
#include "core/error.h"
#include "ops/cast.h"
#include "ops/reshape.h"

namespace espalier::data {
namespace {

/// Images whose pixels are 1, 2, 3, ...; no pixel is zero as the padding is.
Tensor counting(const Shape& shape, Dtype dtype = Dtype::f32) {
  return cast(reshape(arange(1, 1 + count(shape), 1, Dtype::f32), shape), dtype);
}

Examples labelled(const Tensor& inputs) {
  return {inputs, zeros({inputs.size(0)}, Dtype::i64)};
}

Tensor apply_to(const Transform& transform, const Tensor& inputs, uint64_t seed = 1) {
  RandomStream random(seed, 0, 0);
  return transform(labelled(inputs), random).inputs;
}

float at(const Tensor& images, int64_t n, int64_t c, int64_t y, int64_t x) {
  if (y < 0 || y >= images.size(2) || x < 0 || x >= images.size(3)) return 0;
  return images.data<float>()[((n * images.size(1) + c) * images.size(2) + y) * images.size(3) + x];
}

/// The shift that explains each image, or an error.
std::vector<std::pair<int64_t, int64_t>> shifts(const Tensor& from, const Tensor& to, int64_t padding) {
  std::vector<std::pair<int64_t, int64_t>> found;
  for (int64_t n = 0; n < from.size(0); ++n) {
    const size_t before = found.size();
    for (int64_t dy = -padding; dy <= padding; ++dy) {
      for (int64_t dx = -padding; dx <= padding; ++dx) {
        bool same = true;
        for (int64_t c = 0; c < from.size(1); ++c)
          for (int64_t y = 0; y < from.size(2); ++y)
            for (int64_t x = 0; x < from.size(3); ++x)
              same = same && at(to, n, c, y, x) == at(from, n, c, y + dy, x + dx);
        if (same) found.emplace_back(dy, dx);
      }
    }
    EXPECT_EQ(found.size(), before + 1) << "image " << n << " is no shift of what it was";
  }
  return found;
}

TEST(RandomCrop, ShiftsEachImageByItsOwnOffset) {
  const Tensor images = counting({200, 2, 5, 7});
  const auto found = shifts(images, apply_to(random_crop(2), images), 2);
  EXPECT_EQ(std::set(found.begin(), found.end()).size(), 25U) << "200 draws from 25 shifts leave out none";
}

TEST(RandomCrop, OrTheWholeBatchByOne) {
  const Tensor images = counting({20, 1, 5, 4});
  const auto found = shifts(images, apply_to(random_crop(2, Per::batch), images), 2);
  EXPECT_EQ(std::set(found.begin(), found.end()).size(), 1U);
}

TEST(RandomCrop, PaddingBeyondTheImageIsZero) {
  const Tensor images = counting({50, 1, 2, 2});
  const Tensor cropped = apply_to(random_crop(4), images);
  int empty_images = 0;
  for (int64_t n = 0; n < 50; ++n) {
    const float* image = cropped.data<float>() + 4 * n;
    empty_images += std::all_of(image, image + 4, [](float pixel) { return pixel == 0; });
  }
  EXPECT_GT(empty_images, 5);
  EXPECT_LT(empty_images, 50);
}

TEST(RandomFlip, MirrorsWhereTheCoinSaysSo) {
  const Tensor images = counting({400, 2, 2, 3});
  const Tensor flipped = apply_to(random_flip(0.25), images);
  int count = 0;
  for (int64_t n = 0; n < 400; ++n) {
    const bool is_flipped = at(flipped, n, 0, 0, 0) == at(images, n, 0, 0, 2);
    count += is_flipped;
    for (int64_t c = 0; c < 2; ++c)
      for (int64_t y = 0; y < 2; ++y)
        for (int64_t x = 0; x < 3; ++x)
          ASSERT_EQ(at(flipped, n, c, y, x), at(images, n, c, y, is_flipped ? 2 - x : x));
  }
  // A binomial of 400 tosses with probability 1/4: mean 100, deviation 8.7; five of them to each side.
  EXPECT_NEAR(count, 100, 44);
}

TEST(RandomFlip, OneCoinForTheBatchWhereAsked) {
  const Tensor images = counting({64, 1, 1, 2});
  std::set<int> counts;
  for (uint64_t seed = 0; seed < 20; ++seed) {
    const Tensor flipped = apply_to(random_flip(0.5, Per::batch), images, seed);
    int count = 0;
    for (int64_t n = 0; n < 64; ++n) count += at(flipped, n, 0, 0, 0) == at(images, n, 0, 0, 1);
    counts.insert(count);
  }
  EXPECT_THAT(counts, testing::ElementsAre(0, 64));
}

TEST(Transforms, BytesMoveAsFloatsDo) {
  const std::vector<std::function<Transform()>> moves{[] { return random_crop(2); },
                                                      [] { return random_flip(); }, [] { return cutout(3); },
                                                      [] { return random_affine({.shift = 0}); }};
  for (const auto& move : moves) {
    const Tensor bytes = counting({6, 1, 6, 6}, Dtype::u8), floats = cast(bytes, Dtype::f32);
    const Tensor moved = apply_to(move(), bytes);
    EXPECT_EQ(moved.dtype(), Dtype::u8);
    EXPECT_EQ(cast(moved, Dtype::f32).to_vector<float>(), apply_to(move(), floats).to_vector<float>());
  }
}

TEST(Cutout, ZeroesASquareCutOffAtTheEdges) {
  const Tensor images = counting({300, 2, 6, 8});
  const Tensor cut = apply_to(cutout(4), images);
  std::set<int64_t> areas;
  for (int64_t n = 0; n < 300; ++n) {
    int64_t top = 6, bottom = -1, left = 8, right = -1, area = 0;
    for (int64_t y = 0; y < 6; ++y) {
      for (int64_t x = 0; x < 8; ++x) {
        const bool gone = at(cut, n, 0, y, x) == 0;
        ASSERT_EQ(gone, at(cut, n, 1, y, x) == 0) << "all channels";
        ASSERT_TRUE(gone || at(cut, n, 0, y, x) == at(images, n, 0, y, x));
        if (!gone) continue;
        top = std::min(top, y), bottom = std::max(bottom, y), left = std::min(left, x),
        right = std::max(right, x);
        ++area;
      }
    }
    ASSERT_EQ(area, (bottom - top + 1) * (right - left + 1)) << "a rectangle";
    areas.insert(area);
  }
  // Sides of 2, 3 or 4 pixels, as the middle lies at the edge or inside.
  EXPECT_THAT(areas, testing::ElementsAre(4, 6, 8, 9, 12, 16));
  const Tensor odd = apply_to(cutout(3), counting({50, 1, 9, 9}));
  int64_t most = 0;
  for (int64_t n = 0; n < 50; ++n) {
    int64_t gone = 0;
    for (int64_t i = 0; i < 81; ++i) gone += at(odd, n, 0, i / 9, i % 9) == 0;
    most = std::max(most, gone);
  }
  EXPECT_EQ(most, 9);
  EXPECT_EQ(apply_to(cutout(0), images).to_vector<float>(), images.to_vector<float>());
}

TEST(RandomAffine, NothingToDoLeavesTheImage) {
  const Tensor images = counting({3, 2, 5, 4});
  EXPECT_EQ(apply_to(random_affine({}), images).to_vector<float>(), images.to_vector<float>());
}

TEST(RandomAffine, EnlargesAboutTheMiddle) {
  const Tensor images = counting({1, 1, 5, 5});
  const Tensor scaled = apply_to(random_affine({.scale_low = 2, .scale_high = 2}), images);
  EXPECT_EQ(at(scaled, 0, 0, 2, 2), at(images, 0, 0, 2, 2));
  EXPECT_EQ(at(scaled, 0, 0, 0, 4), at(images, 0, 0, 1, 3));
  EXPECT_EQ(at(scaled, 0, 0, 2, 3), (at(images, 0, 0, 2, 2) + at(images, 0, 0, 2, 3)) / 2)
      << "between pixels";
}

TEST(RandomAffine, BytesAreRoundedToNearest) {
  const Tensor bytes = from_values<uint8_t>({10, 13, 20, 10, 13, 20, 10, 13, 20}, {1, 1, 3, 3});
  const Tensor scaled = apply_to(random_affine({.scale_low = 2, .scale_high = 2}), bytes);
  // Halfway between neighbours: 11.5 and 16.5 become 12 and 17.
  EXPECT_THAT(std::vector(scaled.data<uint8_t>() + 3, scaled.data<uint8_t>() + 6),
              testing::ElementsAre(12, 13, 17));
}

TEST(RandomAffine, TurnsAndMovesByWhatItDrew) {
  // A linear image, whose values say where they come from: pixel = 8 + column, so that each pixel of the
  // result that comes from inside tells the column it was taken from. Rows likewise in the second channel.
  constexpr int64_t kSide = 21;
  Tensor images = zeros({1, 2, kSide, kSide});
  auto* pixels = images.mutable_data<float>();
  for (int64_t y = 0; y < kSide; ++y) {
    for (int64_t x = 0; x < kSide; ++x) {
      pixels[y * kSide + x] = static_cast<float>(100 + x);
      pixels[(kSide + y) * kSide + x] = static_cast<float>(100 + y);
    }
  }
  std::set<bool> directions;
  for (uint64_t seed = 0; seed < 10; ++seed) {
    const Tensor turned = apply_to(random_affine({.degrees = 30, .shift = 0.1}), images, seed);
    const auto column = [&](int64_t y, int64_t x) { return at(turned, 0, 0, y, x) - 100; };
    const auto row = [&](int64_t y, int64_t x) { return at(turned, 0, 1, y, x) - 100; };
    // Steps of one pixel to the right and down, in the image: a turn keeps lengths and angles. The values are
    // sums of products near 100 in f32, good to 1e-4.
    const float rx = column(10, 11) - column(10, 10), ry = row(10, 11) - row(10, 10);
    const float dx = column(11, 10) - column(10, 10), dy = row(11, 10) - row(10, 10);
    EXPECT_NEAR(rx * rx + ry * ry, 1, 1e-3);
    EXPECT_NEAR(rx, dy, 1e-3);
    EXPECT_NEAR(ry, -dx, 1e-3);
    EXPECT_LE(std::abs(std::atan2(ry, rx)), 30 * std::numbers::pi / 180 + 1e-3);
    // The middle comes from at most a tenth of the side away in each direction, turned.
    EXPECT_LE(std::hypot(column(10, 10) - 10, row(10, 10) - 10), 0.1 * kSide * std::numbers::sqrt2 + 1e-3);
    directions.insert(ry > 0);
  }
  EXPECT_EQ(directions.size(), 2U);
}

TEST(Normalise, StandardisesByChannel) {
  const Tensor images = from_values<float>({1, 2, 3, 4}, {1, 2, 1, 2});
  EXPECT_THAT(apply_to(normalise({1, 2}, {2, 4}), images).to_vector<float>(),
              testing::ElementsAre(0, 0.5F, 0.25F, 0.5F));
  EXPECT_THAT(apply_to(normalise({1}, {2}), images).to_vector<float>(),
              testing::ElementsAre(0, 0.5F, 1, 1.5F));
  const Tensor bytes = from_values<uint8_t>({0, 51, 255, 102}, {1, 1, 2, 2});
  // One rounding of the factor 1 / (255 * 0.25) and two of the sum.
  EXPECT_THAT(apply_to(normalise({0.5}, {0.25}), bytes).to_vector<float>(),
              testing::Pointwise(testing::FloatNear(1e-6F), {-2.0F, -1.2F, 2.0F, -0.4F}));
}

TEST(OneHot, MarksTheClass) {
  RandomStream random(1, 0, 0);
  const Examples batch{zeros({3, 1}), from_values<int64_t>({2, 0, 1}, {3})};
  const Examples hot = one_hot(3)(batch, random);
  EXPECT_THAT(hot.labels.to_vector<float>(), testing::ElementsAre(0, 0, 1, 1, 0, 0, 0, 1, 0));
  EXPECT_EQ(hot.labels.shape(), Shape({3, 3}));
  EXPECT_THROW(one_hot(2)(batch, random), ValueError);
}

TEST(Mixup, MixesInputsAndLabelsInTheSameShares) {
  // Example n has input n and the label of class n, so the labels say what was mixed.
  const int64_t n = 16;
  std::vector<float> inputs(n), labels(n * n, 0);
  for (size_t i = 0; i < n; ++i) inputs[i] = static_cast<float>(i), labels[i * n + i] = 1;
  const Examples batch{from_values(inputs, {n, 1}), from_values(labels, {n, n})};
  double total = 0, squares = 0;
  constexpr int kDraws = 400;
  for (uint64_t seed = 0; seed < kDraws; ++seed) {
    RandomStream random(seed, 0, 0);
    const Examples mixed = mixup(0.4)(batch, random);
    const std::vector<float> x = mixed.inputs.to_vector<float>(), y = mixed.labels.to_vector<float>();
    float share = -1;
    for (size_t i = 0; i < n; ++i) {
      float expected = 0, sum = 0;
      for (size_t c = 0; c < n; ++c) expected += y[i * n + c] * static_cast<float>(c), sum += y[i * n + c];
      EXPECT_NEAR(sum, 1, 1e-6);
      EXPECT_NEAR(x[i], expected, 1e-4) << "rounding of sums up to 15";
      const float own = y[i * n + i];
      if (own > 1 - 1e-6F) continue;  // mixed with itself
      if (share < 0) share = own;
      EXPECT_EQ(own, share) << "one share for the batch";
    }
    total += share;
    squares += share * share;
  }
  // Beta(a, a): mean 1/2, variance 1 / (4 (2a + 1)) = 0.1389 for a = 0.4. Of 400 draws the mean has a
  // deviation of 0.0186, the variance one of about 0.0047 (kurtosis 1.46): four of each.
  const double mean = total / kDraws;
  EXPECT_NEAR(mean, 0.5, 0.075);
  EXPECT_NEAR(squares / kDraws - mean * mean, 0.1389, 0.019);
}

TEST(Mixup, SharesOfALargeAlphaStayNearTheMiddle) {
  const Examples batch{zeros({8, 1}), reshape(arange(0, 8, 1, Dtype::f32), {8, 1})};
  for (uint64_t seed = 0; seed < 50; ++seed) {
    RandomStream random(seed, 0, 0);
    // Of Beta(1000, 1000), deviation 0.011: example 0, mixed with j, has the label (1 - l) j.
    const float label = mixup(1000)(batch, random).labels.data<float>()[0];
    const float partner = std::round(2 * label);
    EXPECT_NEAR(label, partner / 2, 0.06 * partner);
  }
}

TEST(Transforms, RefuseWhatMakesNoSense) {
  EXPECT_THROW(random_crop(-1), ValueError);
  EXPECT_THROW(random_crop(int64_t{1} << 40), ValueError);
  EXPECT_THROW(random_flip(1.5), ValueError);
  EXPECT_THROW(random_flip(std::nan("")), ValueError);
  EXPECT_THROW(cutout(-1), ValueError);
  EXPECT_THROW(random_affine({.degrees = -1}), ValueError);
  EXPECT_THROW(random_affine({.shift = 2}), ValueError);
  EXPECT_THROW(random_affine({.scale_low = 2}), ValueError);
  EXPECT_THROW(random_affine({.scale_low = 0}), ValueError);
  EXPECT_THROW(normalise({}, {}), ValueError);
  EXPECT_THROW(normalise({0, 0}, {1}), ValueError);
  EXPECT_THROW(normalise({0}, {0}), ValueError);
  EXPECT_THROW(normalise({std::nan("")}, {1}), ValueError);
  EXPECT_THROW(one_hot(0), ValueError);
  EXPECT_THROW(mixup(0), ValueError);
  EXPECT_THROW(apply_to(random_crop(1), zeros({2, 3})), ShapeError);
  EXPECT_THROW(apply_to(random_flip(), zeros({2, 3, 4, 4}, Dtype::f64)), TypeError);
  EXPECT_THROW(apply_to(normalise({1, 2}, {1, 1}), zeros({2, 3, 4, 4})), ShapeError);
  EXPECT_THROW(apply_to(mixup(1), zeros({2, 3})), TypeError);
}

}  // namespace
}  // namespace espalier::data
