#include <algorithm>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>

#include "tests/support/small_disk.h"
#include "tests/train/digits_run.h"
#include "tests/train/run_curves.h"
#include "tests/train/run_program.h"

namespace espalier::training {
namespace {

using test::SmallDisk;
using test::TemporaryFolder;
using testing::HasSubstr;

/// Several times what a run takes.
constexpr size_t kDiskPages = 1024;

/// The exit status of a run in a folder.
int run_in(const std::filesystem::path& folder, const std::filesystem::path& errors) {
  int status = -1;
  const pid_t child = start_run(folder, errors);
  EXPECT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_TRUE(WIFEXITED(status));
  return WEXITSTATUS(status);
}

/// Pages that the checkpoint of a step takes.
size_t pages_of(const std::filesystem::path& folder, int64_t step) {
  size_t pages = 0;
  for (const auto& file : std::filesystem::directory_iterator(io::CheckpointFolder(folder).path_of(step)))
    pages += (file.file_size() + SmallDisk::page() - 1) / SmallDisk::page();
  return pages;
}

/// How much room a run has, what there is no room for, and the step of its last checkpoint then.
struct Level {
  size_t pages;
  const char* file;
  int64_t step;
};

void expect_to_survive(const Level& level, const std::filesystem::path& undisturbed) {
  SCOPED_TRACE(level.pages);
  const TemporaryFolder elsewhere;
  const std::filesystem::path errors = elsewhere / "errors";
  const SmallDisk disk(kDiskPages);
  ASSERT_EQ(disk.problem(), "");
  const std::filesystem::path folder = disk.path() / "run";
  disk.leave(level.pages);

  EXPECT_EQ(run_in(folder, errors), 1);
  const std::string text = test::content_of(errors);
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 1) << text;
  EXPECT_THAT(text, testing::AllOf(HasSubstr(level.file), HasSubstr("No space left on device")));
  for (const auto& entry : std::filesystem::directory_iterator(folder))
    EXPECT_FALSE(entry.path().filename().string().starts_with(".")) << entry << " is half made";
  EXPECT_EQ(expect_readable_checkpoints(folder), level.step);

  disk.make_room();
  EXPECT_EQ(run_in(folder, errors), 0) << test::content_of(errors);
  expect_same_end(undisturbed, folder);
  EXPECT_EQ(test::content_of(folder / "metrics.jsonl"), test::content_of(undisturbed / "metrics.jsonl"));
  EXPECT_EQ(test::curves_of(folder), test::curves_of(undisturbed));
}

TEST(FullDisk, EndsARunInOrderAndItCanGoOnLater) {
  const SmallDisk disk(kDiskPages);
  if (!disk.problem().empty()) GTEST_SKIP() << disk.problem();
  const std::filesystem::path undisturbed = disk.path() / "run";
  const TrainingSummary summary = DigitsRun().trainer.run(long_digits_options(undisturbed));
  const size_t checkpoint = pages_of(undisturbed, summary.steps);

  // A run begins with the event file, which soon has a page. A checkpoint follows every other step, and its
  // first file takes several pages. The first row, of step 4, gives metrics.jsonl its page.
  constexpr size_t kEvents = 1, kMetrics = 1;
  for (const Level& level :
       {Level{0, "events.out.tfevents", 0}, Level{kEvents + 1, "average.safetensors", 0},
        Level{kEvents + checkpoint - 1, "manifest.json", 0}, Level{kEvents + checkpoint, "metrics.jsonl", 2},
        Level{kEvents + kMetrics + 2 * checkpoint - 1, "manifest.json", 2},
        Level{kEvents + kMetrics + 2 * checkpoint + 1, "average.safetensors", 4}})
    expect_to_survive(level, undisturbed);
}

}  // namespace
}  // namespace espalier::training
