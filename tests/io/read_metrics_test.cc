#include "io/read_metrics.h"

#include <cmath>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"
#include "tests/support/message_of.h"
#include "tests/support/temporary_folder.h"

namespace espalier::io {
namespace {

using test::message_of;
using test::TemporaryFolder;
using testing::HasSubstr;

TEST(ReadMetrics, GivesBackWhatTheLogWrote) {
  const TemporaryFolder folder;
  {
    MetricsLog log(folder / "m.jsonl");
    log.add(3, {{"loss", 0.1}, {"a \"name\"", -1e-300}});
    log.add(10, {{"loss", NAN}});
  }
  const std::vector<MetricsRow> rows = read_metrics(folder / "m.jsonl");
  ASSERT_EQ(rows.size(), 2U);
  EXPECT_EQ(rows[0].step, 3);
  ASSERT_EQ(rows[0].metrics.size(), 2U);
  EXPECT_EQ(rows[0].metrics[0].name, "loss");
  EXPECT_EQ(rows[0].metrics[0].value, 0.1);
  EXPECT_EQ(rows[0].metrics[1].name, "a \"name\"");
  EXPECT_EQ(rows[0].metrics[1].value, -1e-300);
  EXPECT_EQ(rows[1].step, 10);
  EXPECT_TRUE(std::isnan(rows[1].metrics[0].value));
}

TEST(ReadMetrics, LeavesOutALineThatWasCut) {
  EXPECT_EQ(parse_metrics("{\"step\":1,\"a\":2}\n{\"step\":2,\"a\":", "f").size(), 1U);
  EXPECT_TRUE(parse_metrics("", "f").empty());
}

TEST(ReadMetrics, NamesTheLineThatIsNoRow) {
  const std::string good = "{\"step\":1,\"a\":2}\n";
  for (const char* bad :
       {"{\"step\":1,\"a\":2}", "{\"step\":2,\"a\":\"x\"}", "{\"step\":2.5e400}", "{\"step\":2.5,\"a\":2}",
        "{\"step\":9223372036854775808,\"a\":2}", "[2]", "{\"a\":2}", "", "{\"step\":2,\"a\":[[[["})
    EXPECT_THAT(message_of<FormatError>([&] { parse_metrics(good + bad + "\n", "f"); }),
                HasSubstr("[f] line 2"))
        << bad;
  EXPECT_THAT(message_of<IoError>([] { read_metrics("nowhere.jsonl"); }), HasSubstr("nowhere.jsonl"));
}

}  // namespace
}  // namespace espalier::io
