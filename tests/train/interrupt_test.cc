#include "train/interrupt.h"

#include <atomic>
#include <csignal>
#include <optional>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"
#include "tests/support/message_of.h"

namespace espalier::training {
namespace {

using test::message_of;

std::atomic<int> caught = 0;

void count_signal(int) {
  ++caught;
}

/// Signals have this test's own handler while a test runs, whatever the test program was started with.
class InterruptTest : public testing::Test {
 protected:
  InterruptTest() {
    caught = 0;
    before_[0] = std::signal(SIGINT, count_signal);
    before_[1] = std::signal(SIGTERM, count_signal);
  }
  ~InterruptTest() override {
    std::signal(SIGINT, before_[0]);
    std::signal(SIGTERM, before_[1]);
  }

 private:
  using Handler = void (*)(int);
  Handler before_[2];
};

TEST_F(InterruptTest, ASignalSetsTheFlagAndNothingElse) {
  for (const int signal : {SIGINT, SIGTERM}) {
    const Interrupt interrupt;
    EXPECT_FALSE(interrupt.requested());
    std::raise(signal);
    EXPECT_TRUE(interrupt.requested());
  }
  EXPECT_EQ(caught, 0);
}

TEST_F(InterruptTest, ASignalMayArriveOnAnyThread) {
  const Interrupt interrupt;
  std::thread([] { std::raise(SIGINT); }).join();
  EXPECT_TRUE(interrupt.requested());
}

TEST_F(InterruptTest, SecondTermIsStillCaught) {
  const Interrupt interrupt;
  std::raise(SIGTERM);
  std::raise(SIGTERM);
  std::raise(SIGINT);
  EXPECT_TRUE(interrupt.requested());
  EXPECT_EQ(caught, 0);
}

TEST_F(InterruptTest, EarlierHandlersComeBack) {
  {
    const Interrupt interrupt;
    std::raise(SIGINT);
  }
  std::raise(SIGINT);
  EXPECT_EQ(caught, 1);
  std::raise(SIGTERM);
  EXPECT_EQ(caught, 2);
  const Interrupt later;  // and the flag does not outlive its object
  EXPECT_FALSE(later.requested());
}

TEST_F(InterruptTest, ASecondSigintEndsTheProgram) {
  EXPECT_EXIT(
      {
        const Interrupt interrupt;
        std::raise(SIGINT);
        if (!interrupt.requested()) std::exit(1);
        std::raise(SIGINT);
        std::exit(2);
      },
      testing::KilledBySignal(SIGINT), "");
}

TEST_F(InterruptTest, OneLivesAtATime) {
  std::optional<Interrupt> first(std::in_place);
  EXPECT_THAT(message_of<ValueError>([] { const Interrupt second; }),
              testing::HasSubstr("another one lives"));
  std::raise(SIGINT);
  EXPECT_TRUE(first->requested());  // the refused one changed nothing
  first.reset();
  EXPECT_NO_THROW({ const Interrupt second; });
}

TEST_F(InterruptTest, AnIgnoredSignalStaysIgnored) {
  std::signal(SIGINT, SIG_IGN);
  {
    const Interrupt interrupt;
    std::raise(SIGINT);
    EXPECT_FALSE(interrupt.requested());
    std::raise(SIGTERM);
    EXPECT_TRUE(interrupt.requested());
  }
  EXPECT_EQ(std::signal(SIGINT, SIG_IGN), SIG_IGN);
}

}  // namespace
}  // namespace espalier::training
