#include "io/checkpoint_folder.h"

#include <chrono>
#include <csignal>
#include <fstream>
#include <limits>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/error.h"
#include "tests/support/temporary_folder.h"

namespace espalier::io {
namespace {

using test::TemporaryFolder;
using testing::ElementsAre;

Checkpoint at_step(int64_t step, double loss = 0) {
  return {.step = step,
          .parts = {{"model", {{"weight", full({1000}, static_cast<double>(step))}}}},
          .metrics = {{"loss", loss}}};
}

/// The last one; one of step 0 where there is none.
Checkpoint last_of(const CheckpointFolder& checkpoints) {
  return checkpoints.load_last().value_or(Checkpoint());
}

TEST(CheckpointFolder, KeepsTheLast) {
  const TemporaryFolder folder;
  CheckpointFolder checkpoints(folder / "run", {.last = 2});
  EXPECT_FALSE(checkpoints.load_last());
  EXPECT_FALSE(checkpoints.best());
  for (const int64_t step : {5, 10, 900, 1000}) checkpoints.save(at_step(step));
  EXPECT_THAT(checkpoints.steps(), ElementsAre(900, 1000));
  EXPECT_EQ(last_of(checkpoints).step, 1000);
  EXPECT_EQ(checkpoints.path_of(900).filename(), "step-000000900");
  checkpoints.save(at_step(1000, 7));
  EXPECT_EQ(last_of(checkpoints).metrics.at("loss"), 7);
  EXPECT_THAT(checkpoints.steps(), ElementsAre(900, 1000));
}

TEST(CheckpointFolder, KeepsTheBestAsWell) {
  const TemporaryFolder folder;
  constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
  const std::vector<double> losses{3, 1, 2, 1, kNan, 4, 5};
  CheckpointFolder least(folder / "least", {.last = 1, .best = 2, .metric = "loss"});
  CheckpointFolder most(folder / "most", {.last = 1, .best = 1, .metric = "loss", .maximise = true});
  CheckpointFolder other(folder / "other", {.last = 1, .best = 2, .metric = "accuracy"});
  for (size_t i = 0; i < losses.size(); ++i) {
    least.save(at_step(static_cast<int64_t>(i), losses[i]));
    most.save(at_step(static_cast<int64_t>(i), losses[i]));
    other.save(at_step(static_cast<int64_t>(i), losses[i]));
  }
  EXPECT_THAT(least.steps(), ElementsAre(1, 3, 6));
  EXPECT_EQ(least.best(), 3) << "of equals the later one";
  EXPECT_THAT(most.steps(), ElementsAre(6));
  EXPECT_EQ(most.best(), 6);
  EXPECT_THAT(other.steps(), ElementsAre(6));
  EXPECT_FALSE(other.best());
}

TEST(CheckpointFolder, LeavesAloneWhatIsNotItsOwn) {
  const TemporaryFolder folder;
  std::filesystem::create_directories(folder / "step-x");
  std::filesystem::create_directories(folder / "step-12");  // another way to write a step
  std::ofstream(folder / "notes.txt") << "mine";
  CheckpointFolder checkpoints(folder.path(), {.last = 1});
  checkpoints.save(at_step(1));
  checkpoints.save(at_step(2));
  EXPECT_THAT(checkpoints.steps(), ElementsAre(2));
  EXPECT_TRUE(std::filesystem::exists(folder / "step-x"));
  EXPECT_TRUE(std::filesystem::exists(folder / "step-12"));
  EXPECT_TRUE(std::filesystem::exists(folder / "notes.txt"));
}

TEST(CheckpointFolder, RemovesWhatWasLeftHalfMade) {
  const TemporaryFolder folder;
  std::filesystem::create_directories(folder / ".writing-step-000000001.abcdef");
  const CheckpointFolder checkpoints(folder.path());
  EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
}

TEST(CheckpointFolder, OneRunAtATimeWrites) {
  const TemporaryFolder folder;
  {
    const CheckpointFolder first(folder.path());
    EXPECT_THROW(CheckpointFolder(folder.path()), IoError);
  }
  EXPECT_NO_THROW(CheckpointFolder(folder.path()));
}

TEST(CheckpointFolder, RefusesWhatMakesNoSense) {
  const TemporaryFolder folder;
  EXPECT_THROW(CheckpointFolder(folder.path(), {.last = 0}), ValueError);
  EXPECT_THROW(CheckpointFolder(folder.path(), {.best = -1}), ValueError);
  std::ofstream(folder / "file") << "x";
  EXPECT_THROW(CheckpointFolder(folder / "file"), IoError);
}

TEST(CheckpointFolder, ADamagedBestIsPassedOverAndADamagedLastIsAnError) {
  const TemporaryFolder folder;
  CheckpointFolder checkpoints(folder.path(), {.last = 3, .metric = "loss"});
  checkpoints.save(at_step(1, 1));
  checkpoints.save(at_step(2, 2));
  std::ofstream(checkpoints.path_of(1) / "manifest.json") << "{}";
  EXPECT_EQ(checkpoints.best(), 2);
  std::ofstream(checkpoints.path_of(2) / "manifest.json") << "{}";
  EXPECT_THROW(checkpoints.load_last(), FormatError);
}

TEST(CheckpointFolder, NoMomentToBeKilledLeavesAnUnreadableCheckpoint) {
  const TemporaryFolder folder;
  int64_t saved = 0, unit = 1700;
  for (int attempt = 0; attempt < 20; ++attempt) {
    const pid_t child = ::fork();
    if (child == 0) {
      CheckpointFolder checkpoints(folder.path(), {.last = 2});
      const auto last = checkpoints.load_last();
      for (int64_t step = last ? last->step + 1 : 0;; ++step) checkpoints.save(at_step(step % 1000));
    }
    ASSERT_GT(child, 0);
    // From before the first write to the middle of some write: one takes a few milliseconds, or, where
    // others keep the machine busy, more.
    std::this_thread::sleep_for(std::chrono::microseconds(3000 + unit * attempt));
    ::kill(child, SIGKILL);
    int status = 0;
    ASSERT_EQ(::waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFSIGNALED(status)) << "it ended by itself";
    const CheckpointFolder checkpoints(folder.path());
    for (const int64_t step : checkpoints.steps()) {
      const Checkpoint checkpoint = load_checkpoint(checkpoints.path_of(step));
      EXPECT_EQ(checkpoint.step, step);
      EXPECT_THAT(checkpoint.parts.at("model").at("weight").to_vector<float>(),
                  testing::Each(static_cast<float>(step)));
      EXPECT_GE(checkpoints.steps().back(), saved);
    }
    if (checkpoints.steps().empty())
      unit *= 2;
    else
      saved = checkpoints.steps().back();
  }
  EXPECT_GT(saved, 0);
}

}  // namespace
}  // namespace espalier::io
