#include "core/workspace.h"

#include <cstdint>

#include <gtest/gtest.h>

#include "core/backend.h"

namespace espalier {
namespace {

TEST(Workspace, CountsWhereThereIsNoMemory) {
  Workspace counter;
  EXPECT_EQ(counter.take<float>(3), nullptr);
  EXPECT_EQ(counter.take<double>(9), nullptr);
  EXPECT_EQ(counter.bytes(), 64U + 128U);
}

TEST(Workspace, PiecesAreAlignedAndApart) {
  alignas(Allocator::kAlignment) char memory[192];
  Workspace work(memory);
  auto* const floats = work.take<float>(3);
  auto* const doubles = work.take<double>(9);
  EXPECT_EQ(static_cast<void*>(floats), memory);
  EXPECT_EQ(static_cast<void*>(doubles), memory + 64);
  EXPECT_EQ(work.bytes(), sizeof memory);
}

struct Doubled {
  Doubled(int64_t value, int64_t* result_, Workspace& work)
      : input(value), place(work.take<int64_t>(1)), result(result_) {}
  void run() const { *result = (*place = 2 * input); }

  int64_t input;
  int64_t* place;
  int64_t* result;
};

TEST(Workspace, OneClassSaysHowMuchAndRuns) {
  int64_t result = 0;
  const Scratch scratch(scratch_of<Doubled>(int64_t{21}, &result));
  run_with<Doubled>(scratch.get(), int64_t{21}, &result);
  EXPECT_EQ(result, 42);
}

TEST(Scratch, GivesItsMemoryBack) {
  Allocator& memory = backend(kCpu).allocator(kCpu);
  const int64_t before = memory.stats().current;
  {
    const Scratch scratch(1000);
    EXPECT_GT(memory.stats().current, before);
    EXPECT_EQ(reinterpret_cast<uintptr_t>(scratch.get()) % Allocator::kAlignment, 0U);
  }
  EXPECT_EQ(memory.stats().current, before);
  EXPECT_EQ(Scratch(0).get(), nullptr);
}

}  // namespace
}  // namespace espalier
