#include "core/parallel.h"

#include <atomic>
#include <cstdlib>
#include <limits>
#include <mutex>
#include <set>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "core/error.h"

namespace espalier {
namespace {

using Parts = std::set<std::pair<int64_t, int64_t>>;

Parts parts_of(int64_t begin, int64_t end, int64_t grain) {
  std::mutex mutex;
  Parts parts;
  parallel_for(begin, end, grain, [&](int64_t first, int64_t last) {
    const std::lock_guard lock(mutex);
    EXPECT_TRUE(parts.emplace(first, last).second);
  });
  return parts;
}

TEST(Parallel, PartsCoverTheRangeOnceAndDifferByAtMostOne) {
  const ThreadCountGuard guard(4);
  for (const int64_t length : {1, 2, 3, 4, 5, 7, 8, 1023, 1024, 1025}) {
    for (const int64_t grain : {-1, 1, 2, 100, 1024}) {
      const Parts parts = parts_of(-3, length - 3, grain);
      const int64_t useful = grain < 1 ? length : (length + grain - 1) / grain;
      EXPECT_EQ(static_cast<int64_t>(parts.size()), std::min<int64_t>(4, useful))
          << length << " by " << grain;
      int64_t next = -3;
      for (const auto& [first, last] : parts) {
        EXPECT_EQ(first, next);
        EXPECT_LE(length / static_cast<int64_t>(parts.size()), last - first);
        EXPECT_GE(length / static_cast<int64_t>(parts.size()) + 1, last - first);
        next = last;
      }
      EXPECT_EQ(next, length - 3);
    }
  }
}

TEST(Parallel, EmptyAndReversedRangesDoNothing) {
  EXPECT_TRUE(parts_of(5, 5, 1).empty());
  EXPECT_TRUE(parts_of(5, 4, 1).empty());
}

TEST(Parallel, LongestRange) {
  const ThreadCountGuard guard(3);
  const int64_t end = std::numeric_limits<int64_t>::max();
  const Parts parts = parts_of(0, end, 1);
  EXPECT_EQ(parts.size(), 3U);
  EXPECT_EQ(parts.rbegin()->second, end);
}

TEST(Parallel, PartsRunAtTheSameTime) {
  const ThreadCountGuard guard(3);
  std::atomic<int> arrived = 0;  // the bodies wait for each other, so a serial run would never end
  std::mutex mutex;
  std::set<std::thread::id> ids;
  parallel_for(0, 3, 1, [&](int64_t, int64_t) {
    ++arrived;
    while (arrived < 3) std::this_thread::yield();
    const std::lock_guard lock(mutex);
    ids.insert(std::this_thread::get_id());
  });
  EXPECT_EQ(ids.size(), 3U);
  EXPECT_EQ(ids.count(std::this_thread::get_id()), 1U);
}

TEST(Parallel, RangesOfOneGrainStayOnTheCaller) {
  const ThreadCountGuard guard(4);
  parallel_for(0, 1000, 1000, [&, caller = std::this_thread::get_id()](int64_t first, int64_t last) {
    EXPECT_EQ(std::this_thread::get_id(), caller);
    EXPECT_EQ(last - first, 1000);
  });
}

TEST(Parallel, NestedCallsRunOnTheirThreadWithTheCallersCount) {
  const ThreadCountGuard guard(num_threads() + 1);
  std::atomic<int> inner = 0;
  parallel_for(0, num_threads(), 1, [&, count = num_threads()](int64_t, int64_t) {
    EXPECT_EQ(num_threads(), count);
    const auto outer = std::this_thread::get_id();
    parallel_for(0, 1000, 1, [&](int64_t, int64_t) {
      EXPECT_EQ(std::this_thread::get_id(), outer);
      ++inner;
    });
  });
  EXPECT_EQ(inner, num_threads() * num_threads());
}

TEST(Parallel, ExceptionReachesTheCallerAndTheTeamLives) {
  const ThreadCountGuard guard(4);
  for (int64_t bad = 0; bad < 4; ++bad) {
    try {
      parallel_for(0, 4, 1, [&](int64_t first, int64_t) {
        if (first == bad) throw std::runtime_error("part " + std::to_string(first));
      });
      FAIL() << "no exception from part " << bad;
    } catch (const std::runtime_error& error) {
      EXPECT_EQ(error.what(), "part " + std::to_string(bad));
    }
  }
  EXPECT_THROW(parallel_for(0, 4, 1, [](int64_t, int64_t) { throw ShapeError("all", "throw"); }), ShapeError);
  EXPECT_EQ(parts_of(0, 4, 1).size(), 4U);
}

TEST(Parallel, BusyTeamMakesOthersRunSeriallyWithTheSameParts) {
  const ThreadCountGuard guard(2);
  std::atomic<bool> inside = false;
  std::atomic<bool> done = false;
  std::thread other([&] {
    const ThreadCountGuard two(2);
    parallel_for(0, 2, 1, [&](int64_t, int64_t) {
      inside = true;
      while (!done) std::this_thread::yield();
    });
  });
  while (!inside) std::this_thread::yield();
  Parts parts;  // no lock: it must stay on this thread
  parallel_for(0, 9, 1, [&, caller = std::this_thread::get_id()](int64_t first, int64_t last) {
    EXPECT_EQ(std::this_thread::get_id(), caller);
    parts.emplace(first, last);
  });
  EXPECT_EQ(parts, (Parts{{0, 5}, {5, 9}}));
  EXPECT_THROW(parallel_for(0, 9, 1, [](int64_t, int64_t) { throw ShapeError("serial", "throws"); }),
               ShapeError);
  done = true;
  other.join();
}

TEST(Parallel, ManyCallersAtOnce) {
  std::vector<std::thread> callers;
  std::atomic<int64_t> total = 0;
  for (int caller = 0; caller < 4; ++caller) {
    callers.emplace_back([&] {
      const ThreadCountGuard guard(3);
      for (int round = 0; round < 500; ++round) {
        std::vector<int> marks(100, 0);
        parallel_for(0, 100, 1, [&](int64_t first, int64_t last) {
          for (int64_t i = first; i < last; ++i) ++marks[i];
        });
        for (const int mark : marks) total += mark;
      }
    });
  }
  for (std::thread& caller : callers) caller.join();
  EXPECT_EQ(total, 4 * 500 * 100);
}

TEST(Parallel, BodyMayBeConstOrMutable) {
  const ThreadCountGuard guard(2);
  const auto body = [](int64_t first, int64_t last) { EXPECT_LT(first, last); };
  parallel_for(0, 2, 1, body);
  int calls = 0;
  parallel_for(0, 2, 2, [&calls](int64_t, int64_t) mutable { ++calls; });
  EXPECT_EQ(calls, 1);
}

TEST(ThreadCount, GuardsNestAndAreSeenByTheirThreadOnly) {
  const int before = num_threads();
  {
    const ThreadCountGuard outer(3);
    {
      const ThreadCountGuard inner(5);
      EXPECT_EQ(num_threads(), 5);
      std::thread([&] { EXPECT_EQ(num_threads(), before); }).join();
    }
    EXPECT_EQ(num_threads(), 3);
  }
  EXPECT_EQ(num_threads(), before);
}

TEST(ThreadCount, WrongCountsAreRefused) {
  const int before = num_threads();
  for (const int count : {0, -1, kMaxThreads + 1}) {
    EXPECT_THROW(set_num_threads(count), ValueError);
    EXPECT_THROW(ThreadCountGuard{count}, ValueError);
  }
  EXPECT_EQ(num_threads(), before);
}

TEST(ThreadCount, SetForTheProcess) {
  const int before = num_threads();
  set_num_threads(7);
  std::thread([] { EXPECT_EQ(num_threads(), 7); }).join();
  set_num_threads(before);
}

class ThreadCountDeathTest : public testing::Test {
 protected:
  void SetUp() override { GTEST_FLAG_SET(death_test_style, "threadsafe"); }
};

// Runs in a fresh process each time, because the variable is read once.
int count_with(const char* value) {
  setenv("ESPALIER_THREADS", value, 1);
  try {
    return num_threads();
  } catch (const ValueError& error) {
    return error.where() == "ESPALIER_THREADS" ? 99 : 98;
  }
}

TEST_F(ThreadCountDeathTest, Environment) {
  EXPECT_EXIT(std::exit(count_with("5")), testing::ExitedWithCode(5), "");
  for (const char* wrong : {"0", "-2", "two", "2x", "2000", "99999999999"}) {
    EXPECT_EXIT(std::exit(count_with(wrong)), testing::ExitedWithCode(99), "") << wrong;
  }
}

}  // namespace
}  // namespace espalier
