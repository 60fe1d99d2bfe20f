#include "data/image_channels.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"
#include "ops/permute.h"
#include "tests/support/message_of.h"

namespace espalier::data {
namespace {

using test::message_of;
using testing::HasSubstr;

TEST(WithChannels, MakesGreyAndColour) {
  // 0.299 * 255 = 76.245, 0.587 * 255 = 149.685, 0.114 * 255 = 29.07; 0.299 + 0.587 * 2 + 0.114 * 4 = 1.929.
  const Tensor colours =
      from_values<uint8_t>({255, 0, 0, 255, 1, 0, 255, 0, 255, 2, 0, 0, 255, 255, 4}, {3, 1, 5});
  EXPECT_EQ(with_channels(colours, 1).to_vector<uint8_t>(), (std::vector<uint8_t>{76, 150, 29, 255, 2}));
  const Tensor grey = from_values<uint8_t>({1, 2, 3, 4}, {1, 2, 2});
  EXPECT_EQ(with_channels(grey, 3).to_vector<uint8_t>(),
            (std::vector<uint8_t>{1, 2, 3, 4, 1, 2, 3, 4, 1, 2, 3, 4}));
  EXPECT_EQ(with_channels(grey, 1).raw_data(), grey.raw_data());
  const Tensor turned = transpose(from_values<uint8_t>({1, 2, 3, 4}, {1, 2, 2}), 1, 2);
  EXPECT_EQ(with_channels(turned, 3).to_vector<uint8_t>(),
            (std::vector<uint8_t>{1, 3, 2, 4, 1, 3, 2, 4, 1, 3, 2, 4}));
}

TEST(WithChannels, RefusesWhatIsNoImage) {
  EXPECT_THAT(message_of<ValueError>([] { with_channels(zeros({1, 2, 2}, Dtype::u8), 4); }),
              HasSubstr("4 channels; expected 1 (grey) or 3"));
  EXPECT_THAT(message_of<ShapeError>([] { with_channels(zeros({2, 2, 2}, Dtype::u8), 3); }),
              HasSubstr("u8[2, 2, 2]"));
  EXPECT_THAT(message_of<ShapeError>([] { with_channels(zeros({2, 2}, Dtype::u8), 3); }),
              HasSubstr("u8[2, 2]"));
  EXPECT_THAT(message_of<TypeError>([] { with_channels(zeros({1, 2, 2}), 3); }), HasSubstr("f32[1, 2, 2]"));
}

}  // namespace
}  // namespace espalier::data
