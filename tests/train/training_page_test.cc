#include "train/training_page.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/temporary_folder.h"
#include "tests/train/digits_run.h"

namespace espalier::training {
namespace {

using test::TemporaryFolder;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

TrainingSummary run_for(const std::filesystem::path& folder, int64_t epochs, bool resume = false) {
  DigitsRun run;
  TrainerOptions options = digits_options(folder);
  options.epochs = epochs;
  options.resume = resume;
  return run.trainer.run(options);
}

TEST(TrainingSummary, HasTheHistoryAlsoFromBeforeAResume) {
  const TemporaryFolder folder;
  const TrainingSummary whole = run_for(folder / "whole", 2);
  run_for(folder / "parts", 1);
  const TrainingSummary rest = run_for(folder / "parts", 2, true);
  ASSERT_GT(whole.history.size(), 6U);
  ASSERT_EQ(rest.history.size(), whole.history.size());
  for (size_t i = 0; i < whole.history.size(); ++i) {
    const io::MetricsRow &a = rest.history[i], &b = whole.history[i];
    EXPECT_EQ(a.step, b.step);
    ASSERT_EQ(a.metrics.size(), b.metrics.size());
    for (size_t j = 0; j < a.metrics.size(); ++j)
      EXPECT_EQ(a.metrics[j].value, b.metrics[j].value) << a.metrics[j].name;
  }
  EXPECT_EQ(run_for({}, 1).history.back().metrics.back().name, "accuracy");  // also without a folder
}

TEST(TrainingSummary, SaysWhereTheTimeWent) {
  const TrainingSummary summary = run_for({}, 2);
  double sum = 0;
  for (const PhaseTime& phase : summary.phases) {
    EXPECT_GE(phase.seconds, 0) << phase.name;
    EXPECT_EQ(phase.seconds > 0, phase.name != "saving") << phase.name;
    sum += phase.seconds;
  }
  // What is left is the loop itself and its rows of metrics.
  EXPECT_LE(sum, summary.seconds);
  EXPECT_GT(sum, 0.5 * summary.seconds);
}

TEST(TrainingPage, ShowsResultsRecipeAndCurves) {
  const std::string html = training_page("Digits <1>", run_for({}, 1), {{"optimiser", "AdamW"}}).html();
  EXPECT_THAT(html, AllOf(HasSubstr("Digits &lt;1&gt;"), HasSubstr("AdamW"), HasSubstr("training loss"),
                          HasSubstr("gradient_norm"), HasSubstr("learning_rate"), HasSubstr("accuracy"),
                          HasSubstr("evaluation")));
  EXPECT_THAT(training_page("empty", {}).html(), AllOf(HasSubstr("empty"), Not(HasSubstr("<svg"))));
}

}  // namespace
}  // namespace espalier::training
