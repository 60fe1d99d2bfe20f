#include "io/event_file.h"

#include <chrono>
#include <cmath>
#include <limits>
#include <numeric>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"
#include "core/log.h"
#include "io/crc32c_internal.h"
#include "tests/io/event_reader.h"
#include "tests/support/file_size_limit.h"
#include "tests/support/special_values.h"
#include "tests/support/temporary_folder.h"

namespace espalier::io {
namespace {

using test::FileSizeLimit;
using test::kInfinity;
using test::Message;
using test::records_of;
using test::TemporaryFolder;
using testing::ElementsAre;
using testing::HasSubstr;

/// Summary.Value of an event that has one.
Message value_of(const Message& event) {
  return event.message(5).message(1);
}

/// HistogramProto of the first event behind the version, after its bounds and sums were checked.
struct Buckets {
  std::vector<double> limits, counts;
};
Buckets buckets_of(const Tensor& values, double min, double max, double num, double sum, double squares) {
  const TemporaryFolder folder;
  EventFile events(folder.path());
  events.add_histogram("h", values, 3);
  events.flush();
  const Message histogram = value_of(records_of(events.path()).at(1)).message(5);
  EXPECT_EQ(histogram.f64(1), min);
  EXPECT_EQ(histogram.f64(2), max);
  EXPECT_EQ(histogram.f64(3), num);
  EXPECT_EQ(histogram.f64(4), sum);
  EXPECT_EQ(histogram.f64(5), squares);
  const Buckets found{histogram.f64s(6), histogram.f64s(7)};
  EXPECT_EQ(found.limits.size(), found.counts.size());
  EXPECT_EQ(std::reduce(found.counts.begin(), found.counts.end()), num);
  return found;
}

TEST(Crc32c, HasTheValuesOfRfc3720) {
  std::string rising(32, '\0');
  std::iota(rising.begin(), rising.end(), '\0');
  EXPECT_EQ(crc32c(std::string(32, '\0')), 0x8a9136aau);
  EXPECT_EQ(crc32c(std::string(32, '\xff')), 0x62a8ab43u);
  EXPECT_EQ(crc32c(rising), 0x46dd794eu);
  EXPECT_EQ(crc32c(std::string(rising.rbegin(), rising.rend())), 0x113fdb5cu);
  EXPECT_EQ(crc32c("123456789"), 0xe3069283u);
  EXPECT_EQ(crc32c(""), 0u);
  // The first record of TensorFlow's own event files has 24 bytes; the sum of that length.
  EXPECT_EQ(masked_crc32c(std::string_view("\x18\0\0\0\0\0\0\0", 8)), 0x224b7fa3u);
}

TEST(EventFile, BeginsWithItsVersion) {
  const TemporaryFolder folder;
  const EventFile events(folder / "runs" / "first");
  EXPECT_EQ(events.path().parent_path(), folder / "runs" / "first");
  EXPECT_THAT(events.path().filename().string(),
              testing::MatchesRegex("events\\.out\\.tfevents\\.[0-9]{10}\\..+"));
  const std::vector<Message> records = records_of(events.path());
  ASSERT_EQ(records.size(), 1u);
  EXPECT_EQ(records[0].text(3), "brain.Event:2");
}

TEST(EventFile, ScalarsHaveTagStepTimeAndValue) {
  const TemporaryFolder folder;
  const std::chrono::duration<double> before = std::chrono::system_clock::now().time_since_epoch();
  {
    EventFile events(folder.path());
    events.add_scalar("train/loss", 0.1, 7);
    events.add_scalar("train/loss", std::nan(""), int64_t{1} << 40);
    events.add_scalar("tiefe\xc3\xa4", -kInfinity, -1);
    events.add_scalar("large", 1e300, 0);
    EXPECT_EQ(records_of(events.path()).size(), 1u) << "scalars are not collected";
  }
  const std::chrono::duration<double> after = std::chrono::system_clock::now().time_since_epoch();
  const auto file = std::filesystem::directory_iterator(folder.path())->path();
  const std::vector<Message> records = records_of(file);
  ASSERT_EQ(records.size(), 5u);
  EXPECT_EQ(records[1].number(2), 7u);
  EXPECT_GE(records[1].f64(1), before.count());
  EXPECT_LE(records[1].f64(1), after.count());
  EXPECT_EQ(value_of(records[1]).text(1), "train/loss");
  EXPECT_EQ(value_of(records[1]).f32(2), 0.1f);
  EXPECT_EQ(records[2].number(2), uint64_t{1} << 40);
  EXPECT_TRUE(std::isnan(value_of(records[2]).f32(2)));
  EXPECT_EQ(static_cast<int64_t>(records[3].number(2)), -1);
  EXPECT_EQ(value_of(records[3]).text(1), "tiefe\xc3\xa4");
  EXPECT_EQ(value_of(records[3]).f32(2), -kInfinity);
  EXPECT_EQ(value_of(records[4]).f32(2), kInfinity);
}

TEST(EventFile, HistogramsCountFromLimitToUnderLimit) {
  const Buckets two = buckets_of(from_values<float>({-3, 1, 1, 2}, {2, 2}), -3, 2, 4, 1, 15);
  // From the bucket of the least element to that of the largest.
  EXPECT_EQ(two.counts.front(), 1);
  EXPECT_EQ(two.counts.back(), 1);
  EXPECT_GT(two.limits.front(), -3);
  EXPECT_LE(two.limits.front(), -3 / 1.1 * (1 + 1e-9));
  EXPECT_GT(two.limits.back(), 2);
  EXPECT_LE(two.limits[two.limits.size() - 2], 2);
  for (size_t i = 1; i < two.limits.size(); ++i) {
    ASSERT_LT(two.limits[i - 1], two.limits[i]);
    if (two.limits[i - 1] <= 1 && 1 < two.limits[i]) {
      EXPECT_EQ(two.counts[i], 2);
    }
    // The growth of the limits, up to their rounding.
    if (two.limits[i - 1] > 0) {
      EXPECT_NEAR(two.limits[i] / two.limits[i - 1], 1.1, 1e-12);
    }
  }
  // On a limit, zero and 1e-12, an element belongs to the bucket above.
  const Buckets zero = buckets_of(from_values<double>({0, 1e-12}, {2}), 0, 1e-12, 2, 1e-12, 1e-24);
  EXPECT_THAT(zero.limits, ElementsAre(1e-12, 1e-12 * 1.1));
  EXPECT_THAT(zero.counts, ElementsAre(1, 1));
  const double most = std::numeric_limits<double>::max();
  const Buckets ends = buckets_of(from_values<double>({most, -most}, {2}), -most, most, 2, 0, kInfinity);
  EXPECT_EQ(ends.limits.back(), most);
  EXPECT_EQ(ends.counts.front(), 1);
  EXPECT_EQ(ends.counts.back(), 1);
}

TEST(EventFile, HistogramsTakeEveryTypeAndLayout) {
  for (int i = 0; i < kDtypeCount; ++i) {
    SCOPED_TRACE(to_string(static_cast<Dtype>(i)));
    buckets_of(ones({2, 3}, static_cast<Dtype>(i)), 1, 1, 6, 6, 6);
  }
  const Tensor grid = from_values<float>({1, 2, 3, 4, 5, 6}, {2, 3});
  buckets_of(grid.with_layout({2}, {3}, 1), 2, 5, 2, 7, 29);
  const Buckets none = buckets_of(zeros({0, 4}), 0, 0, 0, 0, 0);
  EXPECT_THAT(none.limits, ElementsAre(0));
}

TEST(EventFile, HistogramsSayWhatIsNotFinite) {
  const TemporaryFolder folder;
  EventFile events(folder.path());
  events.add_histogram("w", from_values<double>({kInfinity, 2, std::nan(""), -kInfinity}, {4}), 5);
  events.add_histogram("w", from_values<double>({2}, {1}), 6);
  events.add_histogram("w", from_values<double>({kInfinity}, {1}), 7);
  events.flush();
  const std::vector<Message> records = records_of(events.path());
  ASSERT_EQ(records.size(), 6u);
  const Message histogram = value_of(records[1]).message(5);
  EXPECT_EQ(histogram.f64(1), 2);
  EXPECT_EQ(histogram.f64(2), 2);
  EXPECT_EQ(histogram.f64(3), 1);
  EXPECT_EQ(histogram.f64(4), 2);
  EXPECT_THAT(histogram.f64s(7), ElementsAre(1));
  EXPECT_EQ(value_of(records[2]).text(1), "w/not_finite");
  EXPECT_EQ(value_of(records[2]).f32(2), 3);
  EXPECT_EQ(records[2].number(2), 5u);
  EXPECT_EQ(records[3].number(2), 6u);
  EXPECT_EQ(value_of(records[4]).message(5).f64(3), 0);
  EXPECT_EQ(value_of(records[5]).f32(2), 1);
}

TEST(EventFile, TextIsAStringTensorOfThePluginText) {
  const TemporaryFolder folder;
  EventFile events(folder.path());
  const std::string long_text(100'000, 'x');
  events.add_text("notes",
                  "**Gr\xc3\xbc\xc3\x9f"
                  "e**",
                  1);
  events.add_text("notes", "cut \xe2\x82", 2);
  events.add_text("notes", long_text, 3);
  events.flush();
  const std::vector<Message> records = records_of(events.path());
  ASSERT_EQ(records.size(), 4u);
  const Message value = value_of(records[1]);
  EXPECT_EQ(value.text(1), "notes");
  EXPECT_EQ(value.message(9).message(1).text(1), "text");
  EXPECT_EQ(value.message(8).number(1), 7u);
  EXPECT_EQ(value.message(8).text(2), "");
  EXPECT_EQ(value.message(8).text(8),
            "**Gr\xc3\xbc\xc3\x9f"
            "e**");
  EXPECT_EQ(value_of(records[2]).message(8).text(8), "cut \xef\xbf\xbd\xef\xbf\xbd");
  EXPECT_EQ(value_of(records[3]).message(8).text(8), long_text);
}

TEST(EventFile, FurtherFilesSortBehindTheFirst) {
  const TemporaryFolder folder;
  for (const char* const name :
       {"events.out.tfevents.4000000000.elsewhere", "events.out.tfevents.99999999999999999999.x", "notes"})
    const std::ofstream empty(folder / name);
  const EventFile first(folder.path());
  const EventFile second(folder.path(), 12);
  EXPECT_THAT(first.path().filename().string(), testing::StartsWith("events.out.tfevents.4000000001."));
  EXPECT_THAT(second.path().filename().string(), testing::StartsWith("events.out.tfevents.4000000002."));
  const std::vector<Message> records = records_of(second.path());
  ASSERT_EQ(records.size(), 3u);
  for (const size_t start : {1, 2}) {
    EXPECT_EQ(records[start].number(2), 12u);
    EXPECT_EQ(records[start].message(7).number(1), 1u);
  }
}

TEST(EventFile, WhatCannotBeShownIsRefused) {
  const TemporaryFolder folder;
  EventFile events(folder.path());
  EXPECT_THROW(events.add_scalar("", 1, 0), ValueError);
  EXPECT_THROW(events.add_scalar("\xff", 1, 0), ValueError);
  EXPECT_THROW(events.add_histogram("h", Tensor(), 0), ValueError);
  EXPECT_THROW(events.add_histogram("h", empty({2}, Dtype::f32, kMeta), 0), DeviceError);
  events.flush();
  EXPECT_EQ(records_of(events.path()).size(), 1u);
}

TEST(EventFile, FoldersThatTakeNoFileAreIoErrors) {
  const TemporaryFolder folder;
  const std::ofstream file(folder / "file");
  EXPECT_THROW(EventFile(folder / "file"), IoError);
  EXPECT_THROW(EventFile(folder / "file" / "below"), IoError);
  EXPECT_THROW(EventFile(folder / std::string(300, 'x').c_str()), IoError);
}

TEST(EventFile, AFullDiskIsAnErrorAndLeavesNoGap) {
  const TemporaryFolder folder;
  EventFile events(folder.path());
  constexpr int64_t kSteps = 10'000;
  std::vector<int64_t> kept;
  {
    const FileSizeLimit limit(100'000);
    for (int64_t step = 0; step < kSteps; ++step) {
      try {
        events.add_scalar("loss", 0, step);
        kept.push_back(step);
      } catch (const IoError& error) {
        EXPECT_EQ(error.where(), events.path().string());
        EXPECT_THAT(error.message(), HasSubstr("cannot write: File too large"));
      }
    }
    EXPECT_THROW(events.flush(), IoError);
  }
  EXPECT_LT(kept.size(), static_cast<size_t>(kSteps));
  events.add_scalar("loss", 0, kSteps);
  events.flush();
  kept.push_back(kSteps);
  std::vector<int64_t> found;
  for (const Message& record : records_of(events.path()))
    found.push_back(static_cast<int64_t>(record.number(2)));
  found.erase(found.begin());  // the version's
  EXPECT_EQ(found, kept);
}

TEST(EventFile, WhatGoesWrongAtTheEndIsLogged) {
  const TemporaryFolder folder;
  std::string logged;
  set_log_sink([&](LogLevel level, std::string_view text) {
    logged += std::string(log_level_name(level)) + ": " + std::string(text);
  });
  {
    auto events = std::make_unique<EventFile>(folder.path());
    events->add_scalar("loss", 0, 1);
    const FileSizeLimit limit(10);
    events.reset();
  }
  set_log_sink({});
  EXPECT_THAT(logged, testing::StartsWith("error: ["));
  EXPECT_THAT(logged, HasSubstr("cannot write"));
}

}  // namespace
}  // namespace espalier::io
