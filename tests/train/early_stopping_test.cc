#include "train/early_stopping.h"

#include <limits>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"
#include "io/safetensors.h"
#include "tests/support/message_of.h"
#include "tests/support/special_values.h"
#include "tests/support/temporary_folder.h"

namespace espalier::training {
namespace {

using test::kInfinity;
using test::kNan;
using test::message_of;
using testing::HasSubstr;

/// The step after which it stops, or 0.
int64_t stops_after(EarlyStopping& stopping, const std::vector<double>& metrics) {
  for (const double metric : metrics) {
    stopping.step(metric);
    if (stopping.should_stop()) return stopping.steps();
  }
  return 0;
}

TEST(EarlyStopping, PutsUpWithItsPatience) {
  EarlyStopping stopping({.patience = 2});
  EXPECT_EQ(stopping.best(), kInfinity);
  EXPECT_EQ(stopping.best_step(), 0);
  EXPECT_FALSE(stopping.improved());
  EXPECT_FALSE(stopping.should_stop());
  // Steps 3 and 4 are put up with, 5 is progress, 6 and 7 are put up with, 8 stops.
  EXPECT_EQ(stops_after(stopping, {5, 4, 4, 6, 3, 3, 9, 4, 1}), 8);
  EXPECT_EQ(stopping.best(), 3);
  EXPECT_EQ(stopping.best_step(), 5);
  EXPECT_FALSE(stopping.improved());
  EarlyStopping impatient({.patience = 0});
  EXPECT_EQ(stops_after(impatient, {3, 2, 1, 1}), 4);
}

TEST(EarlyStopping, TellsProgress) {
  EarlyStopping stopping({.maximise = true});
  EXPECT_EQ(stopping.best(), -kInfinity);
  std::vector<bool> improved;
  for (const double metric : {-0.5, -0.7, 0.1, 0.1, 0.2}) {
    stopping.step(metric);
    improved.push_back(stopping.improved());
  }
  EXPECT_EQ(improved, std::vector({true, false, true, false, true}));
  EXPECT_EQ(stopping.best(), 0.2);
  EXPECT_EQ(stopping.best_step(), 5);
}

TEST(EarlyStopping, TheThresholdIsADifferenceToTheBest) {
  EarlyStopping falling({.patience = 1, .threshold = 0.5});
  // 0.25 below is not enough, 0.5 neither; 0.75 below the best is, though the last step was small.
  EXPECT_EQ(stops_after(falling, {-1, -1.25, -1.75, -2, -2.25}), 5);
  EXPECT_EQ(falling.best(), -1.75);
  EarlyStopping rising({.maximise = true, .patience = 0, .threshold = 0.5});
  EXPECT_EQ(stops_after(rising, {-1, -0.25, 0.25}), 3);
  EXPECT_EQ(rising.best(), -0.25);
}

TEST(EarlyStopping, NanIsNoProgress) {
  EarlyStopping stopping({.patience = 2});
  EXPECT_EQ(stops_after(stopping, {kNan, 1, kNan, kNan, kNan}), 5);
  EXPECT_EQ(stopping.best(), 1);
  EarlyStopping never({.maximise = true, .patience = 2});
  EXPECT_EQ(stops_after(never, {kNan, kNan, kNan}), 3);
  EXPECT_EQ(never.best_step(), 0);
}

TEST(EarlyStopping, GoesOnFromAFile) {
  const test::TemporaryFolder folder;
  const EarlyStoppingOptions options{.patience = 2};
  EarlyStopping stopping(options), later(options);
  for (const double metric : {3., 2., 5.}) stopping.step(metric);
  io::save_safetensors(folder / "stopping.safetensors", stopping.state());
  later.load_state(io::load_safetensors(folder / "stopping.safetensors").tensors);
  EXPECT_EQ(later.best(), 2);
  EXPECT_EQ(later.best_step(), 2);
  EXPECT_EQ(later.steps(), 3);
  EXPECT_EQ(stops_after(later, {2, 4, 1}), 5);
  EXPECT_EQ(stopping.steps(), 3);  // nothing is shared
}

TEST(EarlyStopping, RefusesAStateThatCannotBe) {
  EarlyStopping stopping;
  stopping.step(2);
  const auto refuses = [&](const std::string& name, const Tensor& value, const char* message) {
    nn::StateMap state = stopping.state();
    state[name] = value;
    EXPECT_THAT(message_of<ValueError>([&] { stopping.load_state(state); }), HasSubstr(message));
    EXPECT_EQ(stopping.best(), 2);
    EXPECT_EQ(stopping.best_step(), 1);
    EXPECT_EQ(stopping.steps(), 1);
  };
  refuses("best", full({}, kNan, Dtype::f64), "best metric is NaN");
  refuses("step", full({}, -1, Dtype::i64), "best step is 1 of -1");
  refuses("step", full({}, kNan, Dtype::f64), "best step is 1 of nan");
  refuses("step", full({}, 1e300, Dtype::f64), "expected 0 <= best step <= step");
  refuses("best_step", full({}, -1, Dtype::i64), "best step is -1 of 1");
  refuses("best_step", full({}, 2, Dtype::i64), "best step is 2 of 1");
  refuses("best", zeros({2}, Dtype::f64), "best is f64[2]");
  refuses("best", Tensor(), "best is undefined");
  refuses("further", zeros({}), "further is not in the model");
  nn::StateMap state = stopping.state();
  state.erase("step");
  EXPECT_THAT(message_of<ValueError>([&] { stopping.load_state(state); }), HasSubstr("step is missing"));
}

TEST(EarlyStopping, RefusesWrongOptions) {
  const auto refuses = [](const EarlyStoppingOptions& options, const char* message) {
    EXPECT_THAT(message_of<ValueError>([&] { EarlyStopping{options}; }), HasSubstr(message));
  };
  refuses({.patience = -1}, "patience is -1");
  refuses({.threshold = -1}, "threshold is -1");
  refuses({.threshold = kNan}, "threshold is nan");
  refuses({.threshold = kInfinity}, "threshold is inf");
}

}  // namespace
}  // namespace espalier::training
