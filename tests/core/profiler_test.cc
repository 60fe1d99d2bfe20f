#include "core/profiler.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>
#include <unistd.h>

#include "core/error.h"
#include "core/log.h"

namespace espalier {
namespace {

struct Event {
  std::string name;
  double start;
  double end;
  int thread;
};

// Reads back what profile_trace wrote, one event a line.
std::vector<Event> events() {
  std::istringstream trace(profile_trace());
  std::vector<Event> found;
  for (std::string line; std::getline(trace, line);) {
    if (line.find("\"ph\"") == std::string::npos) continue;
    char name[64];
    double start = 0;
    double duration = 0;
    int process = 0;
    int thread = 0;
    const int fields =
        std::sscanf(line.c_str(), R"({"ph":"X","name":"%63[^"]","ts":%lf,"dur":%lf,"pid":%d,"tid":%d)", name,
                    &start, &duration, &process, &thread);
    EXPECT_EQ(fields, 5) << line;
    EXPECT_EQ(process, getpid());
    found.push_back({name, start, start + duration, thread});
  }
  return found;
}

TEST(Profiler, SpansNest) {
  start_profiler();
  {
    const Span outer("outer");
    const Span inner("inner");
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  stop_profiler();
  const std::vector<Event> found = events();
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(found[0].name, "inner");
  EXPECT_EQ(found[1].name, "outer");
  EXPECT_LE(found[1].start, found[0].start);
  EXPECT_GE(found[1].end, found[0].end);
  EXPECT_GE(found[0].end - found[0].start, 2000);
  EXPECT_EQ(found[0].thread, found[1].thread);
}

TEST(Profiler, RecordsNothingWhenOff) {
  start_profiler();
  stop_profiler();
  {
    const Span span("late");
  }
  EXPECT_TRUE(events().empty());
}

TEST(Profiler, SpanBelongsToTheRecordingThatItBeganIn) {
  start_profiler();
  {
    const Span old("old");
    stop_profiler();
    start_profiler();
  }
  {
    const Span open("open at the end");
    stop_profiler();
  }
  EXPECT_TRUE(events().empty());
}

TEST(Profiler, ThreadsRecordTogether) {
  start_profiler();
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([] {
      for (int round = 0; round < 100; ++round) const Span span("work");
    });
  }
  for (std::thread& thread : threads) thread.join();
  stop_profiler();
  std::vector<int> numbers;
  for (const Event& event : events()) numbers.push_back(event.thread);
  ASSERT_EQ(numbers.size(), 400U);
  std::sort(numbers.begin(), numbers.end());
  EXPECT_EQ(std::unique(numbers.begin(), numbers.end()) - numbers.begin(), 4);
}

TEST(Profiler, NamesAndArgumentsAreEscaped) {
  start_profiler();
  {
    Span span("a\"b\\c\n\x01\xff\xc3\xa9");
    EXPECT_TRUE(span.active());
    span.argument("shape", "[2, 3]");
    span.argument("quo\"te", "\t");
  }
  stop_profiler();
  const std::string trace = profile_trace();
  EXPECT_NE(trace.find(R"("name":"a\"b\\c\u000a\u0001\ufffd)"
                       "\xc3\xa9\""),
            std::string::npos)
      << trace;
  EXPECT_NE(trace.find(R"("args":{"shape":"[2, 3]","quo\"te":"\u0009"})"), std::string::npos) << trace;
}

TEST(Profiler, Utf8ThatIsNotIsReplaced) {
  start_profiler();
  // Overlong in 2 and 3 bytes, surrogate, beyond U+10FFFF, cut short, lone continuation; then valid ones of
  // 2, 3, 4.
  {
    const Span span(
        "\xc0\x80|\xe0\x80\x80|\xed\xa0\x80|\xf4\x90\x80\x80|\xe2\x82|\x80|"
        "\xc3\xa9\xe2\x82\xac\xf0\x9f\x8c\xb3");
  }
  stop_profiler();
  const std::string bad = "\\ufffd";
  const std::string two = bad + bad;
  const std::string three = two + bad;
  const std::string expected = "\"" + two + "|" + three + "|" + three + "|" + three + bad + "|" + two + "|" +
                               bad + "|\xc3\xa9\xe2\x82\xac\xf0\x9f\x8c\xb3\"";
  EXPECT_NE(profile_trace().find(expected), std::string::npos) << profile_trace();
}

TEST(Profiler, LimitDropsCountsAndTells) {
  std::string warning;
  set_log_sink([&](LogLevel level, std::string_view text) {
    warning = std::string(log_level_name(level)) + text.data();
  });
  start_profiler(3);
  for (int i = 0; i < 5; ++i) const Span span("x");
  EXPECT_EQ(profile_dropped(), 2);
  stop_profiler();
  set_log_sink({});
  EXPECT_EQ(events().size(), 3U);
  EXPECT_NE(warning.find("warningthe profiler kept 3 spans and dropped 2"), std::string::npos) << warning;
  EXPECT_NE(profile_trace().find("\"dropped\":2"), std::string::npos);
  EXPECT_NE(profile_table().find("2 more spans were dropped"), std::string::npos);
  start_profiler();
  stop_profiler();
  EXPECT_EQ(profile_dropped(), 0);
  EXPECT_THROW(start_profiler(0), ValueError);
}

TEST(Profiler, LongTextIsCut) {
  start_profiler();
  {
    const std::string name(100000, 'n');
    Span span(name);
    for (int i = 0; i < 1000; ++i) span.argument("key", name.substr(0, 100));
  }
  stop_profiler();
  EXPECT_LT(profile_trace().size(), 2500U);
}

TEST(Profiler, SummaryByName) {
  start_profiler();
  for (int i = 0; i < 3; ++i) {
    const Span span("long");
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
    const Span inside("short");
  }
  stop_profiler();
  const std::vector<ProfileRow> rows = profile_summary();
  ASSERT_EQ(rows.size(), 2U);
  EXPECT_EQ(rows[0].name, "long");
  EXPECT_EQ(rows[0].count, 3);
  EXPECT_GE(rows[0].total_ns, 3'000'000);
  EXPECT_GT(rows[0].share, rows[1].share);
  EXPECT_LE(rows[0].share, 1.0);
  EXPECT_EQ(rows[1].name, "short");
  EXPECT_NE(profile_table().find("%  long\n"), std::string::npos) << profile_table();
}

TEST(Profiler, WritesAFileAndLeavesNoOther) {
  const std::filesystem::path folder =
      std::filesystem::temp_directory_path() / ("espalier_profiler_" + std::to_string(getpid()));
  std::filesystem::create_directory(folder);
  start_profiler();
  {
    const Span span("kept");
  }
  stop_profiler();
  write_profile_trace(folder / "trace.json");
  std::ifstream file(folder / "trace.json");
  EXPECT_EQ(std::string(std::istreambuf_iterator<char>(file), {}), profile_trace());
  try {
    write_profile_trace(folder / "absent" / "trace.json");
    ADD_FAILURE();
  } catch (const IoError& error) {
    EXPECT_NE(error.where().find("absent/trace.json"), std::string::npos);
  }
  std::filesystem::create_directory(folder / "taken");
  EXPECT_THROW(write_profile_trace(folder / "taken"), IoError);
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder), {}), 2);
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace espalier
