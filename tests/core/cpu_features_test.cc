#include "core/cpu_features.h"

#include <algorithm>
#include <cstdlib>
#include <string>

#include <gtest/gtest.h>
#include <sys/wait.h>

#include "core/error.h"

namespace espalier {
namespace {

// Runs in a fresh process each time, because the variable is read once.
int run_with(const char* value) {
  setenv("ESPALIER_CPU", value, 1);
  try {
    return static_cast<int>(cpu_level());
  } catch (const ValueError& error) {
    return std::string(error.what()).find("baseline, avx2 or avx512") == std::string::npos ? 98 : 99;
  }
}

// The lower of the cap and what this process, which has none, found.
auto exits_capped_at(CpuLevel cap) {
  return [cap](int status) {
    return WIFEXITED(status) && WEXITSTATUS(status) == static_cast<int>(std::min(cap, cpu_level()));
  };
}

class CpuFeaturesDeathTest : public testing::Test {
 protected:
  void SetUp() override { GTEST_FLAG_SET(death_test_style, "threadsafe"); }
};

TEST_F(CpuFeaturesDeathTest, EnvironmentCapsTheLevel) {
  EXPECT_EXIT(std::exit(run_with("baseline")), exits_capped_at(CpuLevel::baseline), "");
  EXPECT_EXIT(std::exit(run_with("avx2")), exits_capped_at(CpuLevel::avx2), "");
  EXPECT_EXIT(std::exit(run_with("avx512")), exits_capped_at(CpuLevel::avx512), "");
}

TEST_F(CpuFeaturesDeathTest, UnknownCapIsRefused) {
  EXPECT_EXIT(std::exit(run_with("sse9")), testing::ExitedWithCode(99), "");
  EXPECT_EXIT(std::exit(run_with("AVX2")), testing::ExitedWithCode(99), "");
}

TEST(CpuFeatures, SetLevel) {
  const CpuLevel before = cpu_level();
  set_cpu_level(CpuLevel::baseline);
  EXPECT_EQ(cpu_level(), CpuLevel::baseline);
  EXPECT_EQ(cpu_level_name(cpu_level()), "baseline");
  set_cpu_level(before);
  EXPECT_EQ(cpu_level(), before);
  // NOLINTNEXTLINE(clang-analyzer-optin.core.EnumCastOutOfRange)
  EXPECT_THROW(set_cpu_level(static_cast<CpuLevel>(7)), ValueError);
}

}  // namespace
}  // namespace espalier
