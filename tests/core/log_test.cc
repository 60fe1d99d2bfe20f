#include "core/log.h"

#include <cstdlib>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "core/error.h"

namespace espalier {
namespace {

using Messages = std::vector<std::pair<LogLevel, std::string>>;

class Log : public testing::Test {
 protected:
  Log() {
    set_log_topics("");
    set_log_sink([this](LogLevel level, std::string_view text) { messages_.emplace_back(level, text); });
  }
  ~Log() override {
    set_log_sink({});
    set_log_level(LogLevel::info);
    set_log_topics("");
  }

  Messages messages_;
};

TEST_F(Log, SinkReceivesWhatReachesTheLevel) {
  log_message(LogLevel::debug, "hidden");
  log_message(LogLevel::info, "one");
  set_log_level(LogLevel::error);
  log_message(LogLevel::warning, "hidden");
  log_message(LogLevel::error, "two");
  set_log_level(LogLevel::debug);
  log_message(LogLevel::debug, "three");
  EXPECT_EQ(messages_,
            (Messages{{LogLevel::info, "one"}, {LogLevel::error, "two"}, {LogLevel::debug, "three"}}));
}

TEST_F(Log, TopicsAreSwitchedByName) {
  log_message(LogTopic::dispatch, "hidden");
  set_log_topics(" memory ,");
  EXPECT_TRUE(log_enabled(LogTopic::memory));
  EXPECT_FALSE(log_enabled(LogTopic::dispatch));
  log_message(LogTopic::dispatch, "hidden");
  log_message(LogTopic::memory, "taken");
  EXPECT_EQ(messages_, (Messages{{LogLevel::info, "memory: taken"}}));
  set_log_topics("dispatch,memory");
  EXPECT_TRUE(log_enabled(LogTopic::dispatch));
}

TEST_F(Log, UnknownTopicIsRefusedAndChangesNothing) {
  set_log_topics("memory");
  try {
    set_log_topics("dispatch,weather");
    FAIL();
  } catch (const ValueError& error) {
    EXPECT_EQ(error.message(), "'weather' is not a topic; there are: dispatch, memory");
  }
  EXPECT_FALSE(log_enabled(LogTopic::dispatch));
  EXPECT_TRUE(log_enabled(LogTopic::memory));
}

TEST_F(Log, DefaultSinkWritesOneLine) {
  set_log_sink({});
  testing::internal::CaptureStderr();
  log_message(LogLevel::warning, "two\nlines");
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "espalier: warning: two lines\n");
}

TEST_F(Log, SinkMayThrowAndLog) {
  set_log_sink([](LogLevel, std::string_view text) {
    log_message(LogLevel::error, "from the sink: " + std::string(text));
    throw std::runtime_error("full");
  });
  testing::internal::CaptureStderr();
  log_message(LogLevel::info, "a");
  log_message(LogLevel::info, "b");
  EXPECT_EQ(testing::internal::GetCapturedStderr(),
            "espalier: error: from the sink: a\nespalier: error: from the sink: b\n");
}

TEST_F(Log, ThreadsTakeTurns) {
  set_log_topics("dispatch");
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([] {
      for (int round = 0; round < 200; ++round) log_message(LogTopic::dispatch, "x");
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(messages_.size(), 800U);
}

class LogDeathTest : public testing::Test {
 protected:
  void SetUp() override { GTEST_FLAG_SET(death_test_style, "threadsafe"); }
};

// Runs in a fresh process each time, because the variable is read once.
int topics_with(const char* list) {
  setenv("ESPALIER_LOG", list, 1);
  return log_enabled(LogTopic::dispatch) + 2 * log_enabled(LogTopic::memory);
}

TEST_F(LogDeathTest, Environment) {
  EXPECT_EXIT(std::exit(topics_with("")), testing::ExitedWithCode(0), "");
  EXPECT_EXIT(std::exit(topics_with("dispatch")), testing::ExitedWithCode(1), "");
  EXPECT_EXIT(std::exit(topics_with("memory,dispatch")), testing::ExitedWithCode(3), "");
  EXPECT_EXIT(std::exit(topics_with("memory,rain")), testing::ExitedWithCode(2),
              "warning: .ESPALIER_LOG. 'rain' is not a topic; there are: dispatch, memory");
}

}  // namespace
}  // namespace espalier
