#include "core/allocator.h"

#include <cstring>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "core/error.h"

namespace espalier {
namespace {

TEST(CachingAllocator, ReusesTheLastBlockOfAClass) {
  const auto allocator = make_caching_allocator();
  void* first = allocator->allocate(1000, {});
  void* second = allocator->allocate(1000, {});
  EXPECT_NE(first, second);
  EXPECT_EQ(reinterpret_cast<uintptr_t>(first) % Allocator::kAlignment, 0u);
  allocator->release(second, 1000, {});
  allocator->release(first, 1000, {});
  EXPECT_EQ(allocator->allocate(1020, {}), first)
      << "the one most recently in cache, also for a size near by";
  EXPECT_EQ(allocator->stats().system_calls, 2);
  EXPECT_EQ(allocator->stats().allocations, 3);
  allocator->release(first, 1020, {});
}

TEST(CachingAllocator, CountsWhatIsOutAndWhatIsKept) {
  const auto allocator = make_caching_allocator();
  void* block = allocator->allocate(4096, {});
  EXPECT_EQ(allocator->stats().current, 4096);
  EXPECT_EQ(allocator->stats().peak, 4096);
  allocator->release(block, 4096, {});
  EXPECT_EQ(allocator->stats().current, 0);
  EXPECT_EQ(allocator->stats().cached, 4096);
  EXPECT_EQ(allocator->stats().peak, 4096);
  allocator->reset_peak();
  EXPECT_EQ(allocator->stats().peak, 0);
  allocator->trim();
  EXPECT_EQ(allocator->stats().cached, 0);
  block = allocator->allocate(4096, {});
  EXPECT_EQ(allocator->stats().system_calls, 2) << "what was trimmed is gone";
  allocator->release(block, 4096, {});
}

TEST(CachingAllocator, EverySizeHoldsWhatWasAskedForAndWastesAnEighthAtMost) {
  const auto allocator = make_caching_allocator();
  for (size_t bytes = 0; bytes < (size_t{8} << 20); bytes = bytes + bytes / 7 + 1) {
    void* block = allocator->allocate(bytes, {});
    ASSERT_NE(block, nullptr);
    std::memset(block, 1, bytes);  // under the address sanitizer this finds a block that is too small
    const auto given = static_cast<size_t>(allocator->stats().current);
    ASSERT_GE(given, bytes);
    ASSERT_LE(given, std::max(bytes + bytes / 8, bytes + Allocator::kAlignment)) << bytes;
    allocator->release(block, bytes, {});
  }
}

TEST(CachingAllocator, SizesThatNoMachineHasAreMemoryErrors) {
  const auto allocator = make_caching_allocator();
  for (const size_t bytes : {~size_t{0}, ~size_t{0} / 2, size_t{1} << 61}) {
    EXPECT_THROW(allocator->allocate(bytes, {}), MemoryError) << bytes;
  }
  EXPECT_EQ(allocator->stats().current, 0);
}

TEST(CachingAllocator, ThreadsShareIt) {
  const auto allocator = make_caching_allocator();
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&allocator, t] {
      for (size_t i = 1; i < 300; ++i) {
        auto* block = static_cast<unsigned char*>(allocator->allocate(i * 8, {}));
        std::memset(block, t, i * 8);
        for (size_t n = 0; n < i * 8; ++n) ASSERT_EQ(block[n], t) << "another thread has the same block";
        allocator->release(block, i * 8, {});
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(allocator->stats().current, 0);
}

}  // namespace
}  // namespace espalier
