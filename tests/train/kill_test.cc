#include <csignal>
#include <cstdlib>
#include <string>
#include <thread>

#include <gtest/gtest.h>
#include <sys/wait.h>

#include "core/philox.h"
#include "tests/support/temporary_folder.h"
#include "tests/train/digits_run.h"
#include "tests/train/run_curves.h"
#include "tests/train/run_program.h"

namespace espalier::training {
namespace {

using test::TemporaryFolder;

constexpr int kKills = 20;

/// The highest step whose checkpoint is there; a run may be writing meanwhile.
int64_t last_step(const std::filesystem::path& folder) {
  int64_t last = 0;
  std::error_code gone;
  for (const auto& entry : std::filesystem::directory_iterator(folder, gone)) {
    const std::string name = entry.path().filename().string();
    if (name.starts_with("step-")) last = std::max<int64_t>(last, std::atoll(name.c_str() + 5));
  }
  return last;
}

/// Waits for up to four more checkpoints, or for none, and then up to 40 ms, as chance has it: a checkpoint
/// takes some 10 ms, the program's start 50. On a fast disk it ends early, lest the run be over too soon.
void wait_for_the_moment(const std::filesystem::path& folder, int64_t step, uint64_t kill) {
  using Clock = std::chrono::steady_clock;
  const int64_t awaited = step + kCheckpointEvery * philox_bounded(philox_word(1, 0, 2 * kill), 5);
  const Clock::time_point patience = Clock::now() + std::chrono::seconds(20);
  while (last_step(folder) < awaited && Clock::now() < patience)
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  const Clock::time_point moment =
      Clock::now() + std::chrono::microseconds(philox_bounded(philox_word(1, 0, 2 * kill + 1), 40'000));
  while (last_step(folder) <= awaited && Clock::now() < moment)
    std::this_thread::sleep_for(std::chrono::microseconds(200));
}

TEST(KilledRun, EndsWithTheSameBits) {
  const TemporaryFolder whole, killed;
  DigitsRun().trainer.run(long_digits_options(whole.path()));

  int kills = 0, status = 0;
  int64_t step = 0, runs_that_got_on = 0;
  for (;;) {
    const pid_t child = start_run(killed.path());
    ASSERT_GT(child, 0);
    if (kills < kKills) {
      wait_for_the_moment(killed.path(), step, static_cast<uint64_t>(kills));
      ::kill(child, SIGKILL);
    }
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    const int64_t last = expect_readable_checkpoints(killed.path());
    EXPECT_GE(last, step);
    runs_that_got_on += last > step;
    step = last;
    if (WIFEXITED(status)) break;
    ++kills;
  }
  ASSERT_EQ(WEXITSTATUS(status), 0);
  EXPECT_EQ(kills, kKills) << "the run was over too soon";
  EXPECT_GT(runs_that_got_on, kKills / 4);

  const std::map<std::string, test::Curve> curves = test::curves_of(whole.path());
  EXPECT_EQ(curves, expected_curves(whole.path()));
  EXPECT_EQ(test::curves_of(killed.path()), curves);

  expect_same_end(whole.path(), killed.path());
}

}  // namespace
}  // namespace espalier::training
