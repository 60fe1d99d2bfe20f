#include "train/trainer.h"

#include <cmath>
#include <csignal>
#include <fstream>
#include <limits>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "autograd/autograd.h"
#include "core/error.h"
#include "core/log.h"
#include "ops/mean.h"
#include "ops/multiply.h"
#include "optim/sgd.h"
#include "tests/support/file_size_limit.h"
#include "tests/support/message_of.h"
#include "tests/support/temporary_folder.h"
#include "tests/train/digits_run.h"
#include "tests/train/run_curves.h"

namespace espalier::training {
namespace {

using test::message_of;
using test::TemporaryFolder;
using testing::HasSubstr;

/// One weight, pulled towards the mean of what it sees: small enough to follow by hand.
struct Pull {
  Tensor weight = make();
  bool training = true;
  static Tensor make() { return requires_grad_(zeros({})); }
  void visit(nn::Visitor& visitor) {
    visitor("weight", weight);
    visitor.training(training);
  }
};

/// Examples 1, 2, ..., n in this order.
data::DataSet numbers(int64_t n) {
  std::vector<float> values(static_cast<size_t>(n));
  for (size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(i + 1);
  return data::Examples{from_values(values, {n}), zeros({n}, Dtype::i64)};
}

struct PullRun {
  explicit PullRun(int64_t examples = 4, int64_t batch = 1)
      : loader(numbers(examples), {.batch_size = batch, .shuffle = false}) {}
  Pull model;
  optim::Sgd sgd{model, {.learning_rate = 0.1}};
  data::Loader loader;
  /// Its gradient is the batch's mean.
  Trainer trainer{model, sgd, loader, [this](const data::Examples& batch) {
                    EXPECT_TRUE(model.training);
                    return model.weight * mean(batch.inputs);
                  }};
};

TrainerOptions quiet(TrainerOptions options) {
  options.progress = false;
  return options;
}

TEST(Trainer, CountsEpochsAndSteps) {
  PullRun run;
  const TrainingSummary summary = run.trainer.run(quiet({.epochs = 2}));
  EXPECT_EQ(summary.steps, 8);
  EXPECT_EQ(summary.epochs, 2);
  EXPECT_FALSE(summary.interrupted);
  EXPECT_NEAR(run.model.weight.item(), -0.1 * 20, 1e-6);
  PullRun other;
  EXPECT_EQ(other.trainer.run(quiet({.steps = 6})).steps, 6);
  EXPECT_EQ(other.loader.epoch(), 1);
  EXPECT_NEAR(other.model.weight.item(), -0.1 * 13, 1e-6);
}

TEST(Trainer, AccumulatesTheMeanOfBatches) {
  PullRun run(5);
  EXPECT_EQ(run.trainer.run(quiet({.epochs = 1, .accumulate = 2})).steps, 3);
  // Means 1.5 and 3.5, and 5, which is alone.
  EXPECT_NEAR(run.model.weight.item(), -0.1 * 10, 1e-6);
}

TEST(Trainer, ClipsTheGradient) {
  PullRun run;
  run.trainer.run(quiet({.epochs = 1, .clip_norm = 1.5}));
  EXPECT_NEAR(run.model.weight.item(), -0.1 * (1 + 1.5 + 1.5 + 1.5), 1e-5);
}

TEST(Trainer, StepsTheScheduleAndTheAverage) {
  PullRun run;
  optim::Scheduler scheduler(run.sgd, optim::step_decay(2, 0.5));
  optim::WeightAverage average(run.model, {.decay = 0});
  std::vector<double> seen;
  run.trainer.with(scheduler).with(average).evaluate([&] {
    EXPECT_TRUE(average.swapped());
    EXPECT_FALSE(run.model.training);
    seen.push_back(run.model.weight.item());
    return std::vector<io::Metric>{};
  });
  run.trainer.run(quiet({.epochs = 1}));
  EXPECT_NEAR(run.model.weight.item(), -(0.1 * 3 + 0.05 * 7), 1e-6);
  EXPECT_EQ(seen.size(), 1U);
  EXPECT_EQ(seen[0], run.model.weight.item()) << "an average that keeps nothing is the model";
  EXPECT_FALSE(average.swapped());
  EXPECT_EQ(average.state().at("updates").item(), 4);
}

TEST(Trainer, EvaluatesWhereAskedAndStopsForLackOfProgress) {
  PullRun run;
  std::vector<double> values{5, 3, 4, 4, 4, 1, 0};
  size_t next = 0;
  run.trainer.evaluate([&] { return std::vector<io::Metric>{{"other", 0}, {"error", values.at(next++)}}; });
  const TrainingSummary summary =
      run.trainer.run(quiet({.steps = 100, .evaluate_every = 3, .metric = "error", .patience = 2}));
  EXPECT_TRUE(summary.stopped_early);
  EXPECT_EQ(next, 5U);
  EXPECT_EQ(summary.steps, 15);
  EXPECT_EQ(summary.best, 3);
  EXPECT_EQ(summary.best_step, 6);
  std::ostringstream text;
  text << summary;
  EXPECT_THAT(text.str(), testing::AllOf(HasSubstr("3 at step 6"), HasSubstr("early")));
}

TEST(Trainer, EvaluatesAtTheEndOfEachEpochAndOfTheRun) {
  PullRun run;
  std::vector<int64_t> at;
  run.trainer.evaluate([&] {
    at.push_back(run.loader.epoch() * 4 + run.loader.batch());
    return std::vector<io::Metric>{};
  });
  run.trainer.run(quiet({.steps = 10}));
  EXPECT_THAT(at, testing::ElementsAre(4, 8, 10));
}

std::string read_text(const std::filesystem::path& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

TEST(Trainer, WritesRowsOfMetrics) {
  const TemporaryFolder folder;
  PullRun run;
  run.trainer.evaluate([] { return std::vector<io::Metric>{{"accuracy", 0.5}}; });
  run.trainer.run(quiet({.steps = 5, .clip_norm = 100, .log_every = 3, .folder = folder.path()}));
  const std::string text = read_text(folder / "metrics.jsonl");
  // Losses are weight times input: 0, -0.2, -0.9, -2.4; then an epoch is over; then -1.
  std::istringstream lines(text);
  std::string line;
  std::getline(lines, line);
  EXPECT_THAT(line, testing::MatchesRegex("\\{\"step\":3,\"train_loss\":-0.36666.*,\"learning_rate\":0.1,"
                                          "\"gradient_norm\":3\\}"));
  std::getline(lines, line);
  EXPECT_THAT(line,
              testing::AllOf(HasSubstr("\"step\":4,\"train_loss\":-2.4"), HasSubstr("\"accuracy\":0.5")));
  std::getline(lines, line);
  EXPECT_THAT(line, testing::AllOf(HasSubstr("\"step\":5,\"train_loss\":-1"), HasSubstr("\"accuracy\":0.5")));
  EXPECT_FALSE(std::getline(lines, line));
}

/// The events of a run's only file.
std::vector<test::Message> events_of(const std::string& folder) {
  std::vector<test::Message> events;
  int files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    if (!entry.path().filename().string().starts_with("events.")) continue;
    events = test::records_of(entry.path());
    ++files;
  }
  EXPECT_EQ(files, 1);
  return events;
}

TEST(Trainer, WritesAFileForTensorBoard) {
  const TemporaryFolder folder;
  PullRun run;
  run.trainer.evaluate([] { return std::vector<io::Metric>{{"accuracy", 0.5}}; });
  const TrainerOptions options{.steps = 5,
                               .clip_norm = 100,
                               .log_every = 3,
                               .folder = folder.path(),
                               .tensorboard = true,
                               .notes = {{"name", "first"}, {"recipe", "two\nlines"}}};
  run.trainer.run(quiet(options));
  const std::map<std::string, test::Curve> curves = test::curves_of(folder.path());
  EXPECT_EQ(curves, expected_curves(folder.path()));
  EXPECT_EQ(curves.at("train/gradient_norm"), (test::Curve{{3, 3.0F}, {4, 4.0F}, {5, 1.0F}}));
  EXPECT_EQ(curves.at("evaluation/accuracy"), (test::Curve{{4, 0.5F}, {5, 0.5F}}));

  std::vector<std::string> texts;
  std::map<int64_t, double> weights;
  for (const test::Message& event : events_of(folder.path())) {
    if (!event.bytes.contains(5)) continue;
    const test::Message value = event.message(5).message(1);
    if (value.bytes.contains(8)) texts.push_back(value.text(1) + ":\n" + value.message(8).text(8));
    if (value.bytes.contains(5)) {
      EXPECT_EQ(value.text(1), "parameters/weight");
      weights[static_cast<int64_t>(event.number(2))] = value.message(5).f64(4);
    }
  }
  EXPECT_THAT(texts, testing::ElementsAre("recipe:\n    name: first\n    recipe: two\n        lines\n"));
  EXPECT_THAT(weights, testing::ElementsAre(testing::Pair(4, testing::DoubleNear(-1, 1e-6)),
                                            testing::Pair(5, testing::DoubleNear(-1.1, 1e-6))));
}

TEST(Trainer, ARunThatIsOverCanBeResumed) {
  const TemporaryFolder folder;
  TrainerOptions options{
      .steps = 5, .log_every = 4, .folder = folder.path(), .checkpoint_every = 5, .resume = true};
  double loss = 0;
  for (int i = 0; i < 2; ++i) {
    PullRun run;
    const TrainingSummary summary = run.trainer.run(quiet(options));
    EXPECT_EQ(summary.steps, 5);
    EXPECT_EQ(summary.history.size(), 2U);
    EXPECT_EQ(summary.loss, i == 0 ? summary.loss : loss);
    loss = summary.loss;
  }
}

TEST(Trainer, ALossThatIsNotFiniteEndsTheRunAndLeavesWhatWasSaved) {
  const TemporaryFolder folder;
  PullRun run;
  int64_t calls = 0;
  Trainer trainer(run.model, run.sgd, run.loader, [&](const data::Examples& batch) {
    return run.model.weight * mean(batch.inputs) *
           (++calls == 6 ? std::numeric_limits<double>::quiet_NaN() : 1.0);
  });
  EXPECT_THAT(message_of<NumericError>([&] { trainer.run(quiet({.epochs = 3, .folder = folder.path()})); }),
              HasSubstr("the loss is nan in step 6"));
  EXPECT_EQ(io::CheckpointFolder(folder.path()).steps().back(), 4);
}

TEST(Trainer, AFullDiskIsToldOnce) {
  const TemporaryFolder folder;
  PullRun run;
  std::optional<test::FileSizeLimit> full;
  std::string logged;
  set_log_sink([&](LogLevel, std::string_view text) { logged += text; });
  run.trainer.evaluate([&] {
    full.emplace(1);
    return std::vector<io::Metric>{};
  });
  EXPECT_THAT(message_of<IoError>([&] {
                run.trainer.run(quiet({.epochs = 1, .folder = folder.path(), .tensorboard = true}));
              }),
              HasSubstr("metrics.jsonl] cannot write: File too large"));
  set_log_sink({});
  EXPECT_EQ(logged, "");
}

TEST(Trainer, KeepsTheLastAndTheBestCheckpoint) {
  const TemporaryFolder folder;
  PullRun run;
  std::vector<double> values{0.5, 0.9, 0.7, 0.8, 0.6};
  size_t next = 0;
  run.trainer.evaluate([&] { return std::vector<io::Metric>{{"accuracy", values.at(next++)}}; });
  run.trainer.run(quiet({.epochs = 5,
                         .metric = "accuracy",
                         .maximise = true,
                         .folder = folder.path(),
                         .notes = {{"recipe", "plain"}}}));
  const io::CheckpointFolder checkpoints(folder.path());
  EXPECT_THAT(checkpoints.steps(), testing::ElementsAre(8, 16, 20));
  const io::Checkpoint last = io::load_checkpoint(checkpoints.path_of(20));
  EXPECT_EQ(last.metrics.at("accuracy"), 0.6);
  EXPECT_EQ(last.notes.at("recipe"), "plain");
}

TEST(Trainer, SaysWhatMakesNoSense) {
  PullRun run;
  const auto refuses = [&](const TrainerOptions& options, const char* message) {
    EXPECT_THAT(message_of<ValueError>([&] { run.trainer.run(quiet(options)); }), HasSubstr(message));
  };
  refuses({}, "0 epochs and 0 steps; expected a positive number of one of them");
  refuses({.epochs = 1, .steps = 1}, "1 epochs and 1 steps");
  refuses({.epochs = -1}, "-1 epochs");
  refuses({.epochs = 1, .accumulate = 0}, "accumulate 0; expected 1 or more");
  refuses({.epochs = 1, .clip_norm = -1}, "clip_norm");
  refuses({.epochs = 1, .clip_norm = std::nan("")}, "clip_norm");
  refuses({.epochs = 1, .evaluate_every = -1}, "evaluate_every -1");
  refuses({.epochs = 1, .log_every = 0}, "log_every 0");
  refuses({.epochs = 1, .patience = 1}, "patience needs the name of a metric");
  refuses({.epochs = 1, .resume = true}, "resume needs a folder");
  refuses({.epochs = 1, .tensorboard = true}, "tensorboard needs a folder");
  run.trainer.evaluate([] { return std::vector<io::Metric>{{"accuracy", 1}, {"loss", 1}}; });
  refuses({.epochs = 1, .metric = "acuracy"}, "no metric 'acuracy'; it has: accuracy, loss");
  const TemporaryFolder folder;
  PullRun first, second;
  first.trainer.run(quiet({.epochs = 1, .folder = folder.path()}));
  EXPECT_THAT(
      message_of<ValueError>([&] { second.trainer.run(quiet({.epochs = 1, .folder = folder.path()})); }),
      HasSubstr("holds checkpoints of an earlier run"));
  PullRun other(5);
  EXPECT_THAT(message_of<ValueError>(
                  [&] { other.trainer.run(quiet({.epochs = 2, .folder = folder.path(), .resume = true})); }),
              HasSubstr("a data set of size 4, not to this loader's 5"));
}

TEST(Trainer, AnInterruptedRunGoesOnAsIfNothingHadHappened) {
  const TemporaryFolder whole, parts;
  DigitsRun undisturbed;
  const TrainingSummary expected = undisturbed.trainer.run(digits_options(whole.path()));
  EXPECT_EQ(expected.steps, 69);
  EXPECT_GT(expected.evaluation[0].value, 0.8) << "it learns";

  TrainingSummary summary;
  int runs = 0;
  do {
    int64_t calls = 0;
    DigitsRun run([&] {
      if (++calls == 27) std::raise(SIGTERM);
    });
    TrainerOptions options = digits_options(parts.path());
    options.resume = true;
    summary = run.trainer.run(options);
    ++runs;
    EXPECT_EQ(summary.interrupted, summary.steps < 69);
    for (const auto& [name, tensor] : nn::state(run.net)) {
      if (summary.interrupted) continue;
      EXPECT_EQ(tensor.to_vector<float>(), nn::state(undisturbed.net).at(name).to_vector<float>()) << name;
    }
  } while (summary.interrupted && runs < 20);
  EXPECT_EQ(runs, 5);
  EXPECT_EQ(summary.best, expected.best);
  EXPECT_EQ(summary.best_step, expected.best_step);
  EXPECT_EQ(read_text(parts / "metrics.jsonl"), read_text(whole / "metrics.jsonl"));
  const std::map<std::string, test::Curve> curves = test::curves_of(whole.path());
  EXPECT_EQ(curves, expected_curves(whole.path()));
  EXPECT_EQ(curves.size(), 4U);
  EXPECT_EQ(test::curves_of(parts.path()), curves);
}

/// Accuracy in the end and the first layer's weights.
struct Outcome {
  double accuracy;
  std::vector<float> weights;
};

/// A run on the digits whose losses compute in `precision`; in step `overflow` a loss has gradients beyond
/// f16.
Outcome digits_in(std::optional<Dtype> precision, int64_t overflow = -1) {
  DigitsRun run;
  int64_t batch = 0;
  Trainer trainer(run.net, run.adamw, run.loader, [&](const data::Examples& examples) {
    const Tensor loss = cross_entropy(run.net(flatten(examples.inputs, 1)), examples.labels);
    return ++batch == overflow ? loss * 1e38 : loss;
  });
  trainer.evaluate([&] {
    ConfusionMatrix matrix(10);
    const data::Split digits = data::digits();
    const Tensor scores = run.net(flatten(digits.test.inputs, 1));
    EXPECT_EQ(scores.dtype(), Dtype::f32);
    matrix.add(scores, digits.test.labels);
    return std::vector<io::Metric>{{"accuracy", matrix.accuracy()}};
  });
  const TrainingSummary summary = trainer.run(quiet({.epochs = 3, .precision = precision}));
  const bool overflows = overflow > 0 && precision == Dtype::f16;
  EXPECT_EQ(summary.overflows, overflows ? 1 : 0);
  std::ostringstream text;
  text << summary;
  EXPECT_EQ(text.str().find("overflows") != std::string::npos, overflows);
  return {summary.evaluation[0].value, nn::parameters(run.net)[0].detach().to_vector<float>()};
}

TEST(Trainer, MixedPrecisionLearnsAsWell) {
  const Outcome full = digits_in({});
  EXPECT_GT(full.accuracy, 0.9);
  for (const Dtype precision : {Dtype::bf16, Dtype::f16}) {
    const Outcome mixed = digits_in(precision);
    EXPECT_NE(mixed.weights, full.weights);
    // 360 test images; one run in f32 differs from another seed's by as many.
    EXPECT_NEAR(mixed.accuracy, full.accuracy, 0.02) << to_string(precision);
  }
}

TEST(Trainer, AnOverflowInF16CostsOneStep) {
  EXPECT_GT(digits_in(Dtype::f16, 5).accuracy, 0.9);
}

TEST(Trainer, PrecisionIsBf16OrF16) {
  PullRun run;
  EXPECT_THAT(message_of<TypeError>([&] { run.trainer.run(quiet({.epochs = 1, .precision = Dtype::f64})); }),
              HasSubstr("type is f64; expected bf16 or f16"));
}

}  // namespace
}  // namespace espalier::training
