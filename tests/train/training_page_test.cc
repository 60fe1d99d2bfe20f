#include "train/training_page.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"
#include "ops/concat.h"
#include "ops/multiply.h"
#include "ops/slice.h"
#include "tests/support/message_of.h"
#include "tests/support/temporary_folder.h"
#include "tests/train/digits_run.h"

namespace espalier::training {
namespace {

using test::message_of;
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

TEST(TrainingSummary, SaysSoOfManyBriefStepsToo) {
  DigitsRun run;
  Trainer trainer(run.net, run.adamw, run.loader, [&run](const data::Examples& batch) {
    return cross_entropy(run.net(flatten(batch.inputs, 1)), batch.labels);
  });
  const TrainingSummary summary = trainer.run({.steps = 5000, .progress = false});
  double sum = 0;
  for (const PhaseTime& phase : summary.phases) sum += phase.seconds;
  EXPECT_LE(sum, summary.seconds);
  EXPECT_GT(sum, 0.7 * summary.seconds) << "those that are timed have 0.3 of it";
}

TEST(TrainingPage, ShowsResultsRecipeAndCurves) {
  const std::string html = training_page("Digits <1>", run_for({}, 1), {{"optimiser", "AdamW"}}).html();
  EXPECT_THAT(html, AllOf(HasSubstr("Digits &lt;1&gt;"), HasSubstr("AdamW"), HasSubstr("training loss"),
                          HasSubstr("gradient_norm"), HasSubstr("learning_rate"), HasSubstr("accuracy"),
                          HasSubstr("evaluation")));
  EXPECT_THAT(training_page("empty", {}).html(), AllOf(HasSubstr("empty"), Not(HasSubstr("<svg"))));
}

/// Three images of 2 x 2 pixels; their first pixel says how sure the class with its number is.
data::DataSet three_images() {
  return data::Examples{from_values<float>({0.1F, 0, 0, 0, 0.9F, 0, 0, 0, 0.5F, 0, 0, 0}, {3, 1, 2, 2}),
                        from_values<int64_t>({1, 1, 0}, {3})};
}

Tensor class_zero(const data::Examples& batch) {
  const Tensor sure = slice(reshape(batch.inputs, {batch.size(), 4}), 1, {0, 1});
  return concat({sure * 10, zeros({batch.size(), 1})}, 1);
}

TEST(AddMistakes, ShowsTheSurestFirst) {
  const std::vector<std::string> names = {"zero", "one"};
  report::Page page("p");
  add_mistakes(page, three_images(), names, class_zero);
  const std::string html = page.html();
  const size_t sure = html.find("one taken for zero, 100 %"), less = html.find("one taken for zero, 73 %");
  EXPECT_NE(sure, html.npos);
  EXPECT_NE(less, html.npos);
  EXPECT_LT(sure, less);
  EXPECT_THAT(html, Not(HasSubstr("zero taken")));
  report::Page one("p");
  add_mistakes(one, three_images(), names, class_zero, 1);
  EXPECT_THAT(one.html(), AllOf(HasSubstr("100 %"), Not(HasSubstr("73 %"))));
  report::Page none("p"), empty("p");
  add_mistakes(none, data::subset(three_images(), {2}), names, class_zero);
  EXPECT_EQ(none.html(), empty.html());
}

TEST(AddMistakes, RefusesWhatDoesNotFit) {
  const std::vector<std::string> names = {"zero", "one"}, three = {"a", "b", "c"};
  report::Page page("p");
  EXPECT_THAT(message_of<ShapeError>([&] { add_mistakes(page, three_images(), three, class_zero); }),
              HasSubstr("f32[3, 2] and i64[3]; expected [B, 3]"));
  EXPECT_THAT(message_of<ValueError>([&] { add_mistakes(page, three_images(), names, class_zero, 0); }),
              HasSubstr("most is 0"));
  data::Examples examples = three_images().read_all();
  examples.labels = from_values<int64_t>({1, 7, 0}, {3});
  EXPECT_THAT(message_of<ValueError>([&] { add_mistakes(page, examples, names, class_zero); }),
              HasSubstr("example 1 has the label 7; there are 2 names"));
}

}  // namespace
}  // namespace espalier::training
