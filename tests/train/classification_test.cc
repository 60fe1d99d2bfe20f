#include "train/classification.h"

#include <cmath>
#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "autograd/autograd.h"
#include "core/error.h"
#include "ops/argmax.h"
#include "ops/cast.h"
#include "ops/copy.h"
#include "ops/cross_entropy.h"
#include "ops/equal.h"
#include "ops/mean.h"
#include "ops/permute.h"
#include "ops/random.h"
#include "ops/sort.h"
#include "tests/support/message_of.h"
#include "tests/support/special_values.h"

namespace espalier::training {
namespace {

using test::kInfinity;
using test::kNan;
using test::message_of;
using testing::DoubleEq;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsNan;

Tensor classes(std::initializer_list<int64_t> values) {
  return from_values(values, {static_cast<int64_t>(values.size())});
}

/// Labels 0 0 0 1 1 2 2 2 2 against predictions 0 1 0 1 1 2 0 2 1, in two batches.
ConfusionMatrix nine_examples() {
  ConfusionMatrix matrix(3);
  matrix.add(classes({0, 1, 0, 1}), classes({0, 0, 0, 1}));
  matrix.add(classes({1, 2, 0, 2, 1}), classes({1, 2, 2, 2, 2}));
  return matrix;
}

TEST(ConfusionMatrix, CountsByLabelAndPrediction) {
  const ConfusionMatrix matrix = nine_examples();
  EXPECT_EQ(describe(matrix.counts()), "i64[3, 3]");
  EXPECT_THAT(matrix.counts().to_vector<int64_t>(), ElementsAre(2, 1, 0, 0, 2, 0, 1, 1, 2));
  EXPECT_EQ(matrix.total(), 9);
  EXPECT_EQ(matrix.undecided(), 0);
  EXPECT_THAT(matrix.support(), ElementsAre(3, 2, 4));
}

TEST(ConfusionMatrix, FiguresFollowFromTheCounts) {
  // As scikit-learn's classification_report defines them: right over column sum, right over row sum, 2 right
  // over both.
  const ConfusionMatrix matrix = nine_examples();
  EXPECT_DOUBLE_EQ(matrix.accuracy(), 6. / 9);
  EXPECT_THAT(matrix.precision(), ElementsAre(DoubleEq(2. / 3), DoubleEq(2. / 4), DoubleEq(1)));
  EXPECT_THAT(matrix.recall(), ElementsAre(DoubleEq(2. / 3), DoubleEq(1), DoubleEq(2. / 4)));
  EXPECT_THAT(matrix.f1(), ElementsAre(DoubleEq(4. / 6), DoubleEq(4. / 6), DoubleEq(4. / 6)));
  EXPECT_DOUBLE_EQ(matrix.macro_f1(), 2. / 3);
  EXPECT_DOUBLE_EQ(matrix.micro_f1(), 6. / 9);
}

TEST(ConfusionMatrix, WhatDividesByNothingIsNan) {
  const ConfusionMatrix empty(2);
  EXPECT_THAT(empty.accuracy(), IsNan());
  EXPECT_THAT(empty.macro_f1(), IsNan());
  EXPECT_THAT(empty.micro_f1(), IsNan());
  EXPECT_THAT(empty.precision(), ElementsAre(IsNan(), IsNan()));
  EXPECT_EQ(empty.total(), 0);

  // Class 1 is a label but never predicted, 2 is predicted only, 3 is neither.
  ConfusionMatrix matrix(4);
  matrix.add(classes({0, 0, 2}), classes({0, 1, 0}));
  EXPECT_THAT(matrix.precision(), ElementsAre(DoubleEq(0.5), IsNan(), DoubleEq(0), IsNan()));
  EXPECT_THAT(matrix.recall(), ElementsAre(DoubleEq(0.5), DoubleEq(0), IsNan(), IsNan()));
  EXPECT_THAT(matrix.f1(), ElementsAre(DoubleEq(0.5), DoubleEq(0), DoubleEq(0), IsNan()));
  // sklearn.metrics.f1_score([0, 1, 0], [0, 0, 2], average="macro")
  EXPECT_DOUBLE_EQ(matrix.macro_f1(), 0.5 / 3);
  EXPECT_DOUBLE_EQ(matrix.micro_f1(), 1. / 3);
}

TEST(ConfusionMatrix, TakesTheFirstOfTheLargestLogits) {
  Generator generator(1);
  // Integers from 0 to 3, so that most rows have ties.
  const Tensor logits = cast(random_integers({200, 5}, 0, 4, Dtype::i64, generator), Dtype::f32);
  const Tensor labels = random_integers({200}, 0, 5, Dtype::i64, generator);
  ConfusionMatrix matrix(5);
  matrix.add(logits, labels);
  ConfusionMatrix predicted(5);
  predicted.add(argmax(logits), labels);
  EXPECT_EQ(matrix.counts().to_vector<int64_t>(), predicted.counts().to_vector<int64_t>());
  EXPECT_DOUBLE_EQ(matrix.accuracy(), mean(cast(equal(argmax(logits), labels), Dtype::f64)).item());
}

TEST(ConfusionMatrix, AnExampleWithNanIsUndecided) {
  ConfusionMatrix matrix(2);
  // The first and the second would be right, if NaN were the largest.
  matrix.add(from_values<float>({kNan, 1, 0, kNan, 3, 1, kNan, kNan}, {4, 2}), classes({0, 1, 0, -100}));
  EXPECT_EQ(matrix.undecided(), 2);
  EXPECT_EQ(matrix.total(), 3);
  EXPECT_THAT(matrix.counts().to_vector<int64_t>(), ElementsAre(1, 0, 0, 0));
  EXPECT_THAT(matrix.support(), ElementsAre(2, 1));
  EXPECT_DOUBLE_EQ(matrix.accuracy(), 1. / 3);
  EXPECT_THAT(matrix.precision(), ElementsAre(DoubleEq(1), IsNan()));
  EXPECT_THAT(matrix.recall(), ElementsAre(DoubleEq(0.5), DoubleEq(0)));
  EXPECT_THAT(matrix.f1(), ElementsAre(DoubleEq(2. / 3), DoubleEq(0)));
  EXPECT_DOUBLE_EQ(matrix.micro_f1(), 2. / 4);  // right over predicted is 1 / 1, over labels 1 / 3
}

TEST(ConfusionMatrix, PassesOverIgnoredLabels) {
  ConfusionMatrix matrix(2);
  matrix.add(classes({1, 7, 0}), classes({1, -100, 1}));  // what was predicted for them is not looked at
  EXPECT_EQ(matrix.total(), 2);
  EXPECT_DOUBLE_EQ(matrix.accuracy(), 0.5);
  ConfusionMatrix padded(3, 0);
  padded.add(classes({1, 2, 2, 0}), classes({0, 2, 0, 1}));
  EXPECT_THAT(padded.counts().to_vector<int64_t>(), ElementsAre(0, 0, 0, 1, 0, 0, 0, 0, 1));
}

TEST(ConfusionMatrix, TakesAnyLayoutTypeAndNumberOfAxes) {
  Generator generator(2);
  const Tensor logits = requires_grad_(normal({2, 3, 4}, 0, 1, Dtype::f32, generator));
  const Tensor labels = random_integers({2, 3}, 0, 4, Dtype::i64, generator);
  ConfusionMatrix matrix(4), other(4);
  matrix.add(logits, labels);
  EXPECT_EQ(matrix.total(), 6);
  // The same examples in another order.
  other.add(permute(cast(logits.detach(), Dtype::f64), {1, 0, 2}), cast(permute(labels, {1, 0}), Dtype::i32));
  EXPECT_EQ(matrix.counts().to_vector<int64_t>(), other.counts().to_vector<int64_t>());
  ConfusionMatrix none(4);
  none.add(zeros({0, 4}), zeros({0}, Dtype::i64));
  EXPECT_EQ(none.total(), 0);
}

TEST(ConfusionMatrix, RefusesWhatDoesNotFitAndCountsNothing) {
  ConfusionMatrix matrix(3);
  const auto refuses = [&]<class E>(const Tensor& predictions, const Tensor& labels, const char* message,
                                    E*) {
    EXPECT_THAT(message_of<E>([&] { matrix.add(predictions, labels); }), HasSubstr(message));
    EXPECT_EQ(matrix.total(), 0);
  };
  constexpr ShapeError* kShape = nullptr;
  constexpr TypeError* kType = nullptr;
  constexpr ValueError* kValue = nullptr;
  refuses(zeros({2, 3}), classes({0, 3}), "label 1 is 3; expected a class in [0, 3)", kValue);
  refuses(zeros({2, 3}), classes({0, -1}), "label 1 is -1", kValue);
  refuses(classes({0, 3}), classes({0, 1}), "prediction 1 is 3", kValue);
  refuses(classes({-1, 0}), classes({0, 1}), "prediction 0 is -1", kValue);
  refuses(zeros({2, 4}), classes({0, 1}), "logits are f32[2, 4] for 3 classes", kShape);
  refuses(zeros({3, 3}), classes({0, 1}), "logits are f32[3, 3] and labels i64[2]", kShape);
  refuses(zeros({2}), classes({0, 1}), "expected [..., classes]", kShape);
  refuses(classes({0}), classes({0, 1}), "predictions are i64[1]", kShape);
  refuses(zeros({2, 3}), zeros({2}), "classes are f32[2]", kType);
  refuses(zeros({2}, Dtype::boolean), classes({0, 1}), "classes are bool[2]", kType);
  EXPECT_THROW(matrix.add(empty({2, 3}, Dtype::f32, kMeta), classes({0, 1})), DeviceError);
  EXPECT_THROW(matrix.add(Tensor(), classes({0, 1})), ValueError);
  EXPECT_EQ(matrix.total(), 0);
  EXPECT_THROW(ConfusionMatrix(0), ValueError);
  EXPECT_THROW(ConfusionMatrix(ConfusionMatrix::kMaxClasses + 1), ValueError);
}

TEST(TopKAccuracy, LooksAtTheKLargest) {
  const Tensor logits = from_values<float>({3, 2, 1, 0,   //
                                            0, 1, 2, 3,   //
                                            1, 1, 1, 1,   //
                                            1, 1, 1, 1,   //
                                            2, 5, 2, 2},  //
                                           {5, 4});
  const Tensor labels = classes({1, 0, 1, 2, 0});
  // The places of the labels are 2, 4, 2, 3 (of equal ones the first comes first) and 2.
  const auto accuracy = [&](int64_t k) {
    TopKAccuracy top(k);
    top.add(logits, labels);
    EXPECT_EQ(top.total(), 5);
    return top.accuracy();
  };
  EXPECT_DOUBLE_EQ(accuracy(1), 0);
  EXPECT_DOUBLE_EQ(accuracy(2), 3. / 5);
  EXPECT_DOUBLE_EQ(accuracy(3), 4. / 5);
  EXPECT_DOUBLE_EQ(accuracy(4), 1);
}

TEST(TopKAccuracy, HasTheOrderOfTopk) {
  Generator generator(3);
  const Tensor logits = cast(random_integers({100, 6}, 0, 4, Dtype::i64, generator), Dtype::bf16);
  const Tensor labels = random_integers({100}, 0, 6, Dtype::i64, generator);
  const std::vector<int64_t> label = labels.to_vector<int64_t>();
  for (int64_t k = 1; k <= 6; ++k) {
    TopKAccuracy top(k);
    top.add(logits, labels);
    const std::vector<int64_t> found = topk(logits, k).indices.to_vector<int64_t>();
    double right = 0;
    for (size_t i = 0; i < found.size(); ++i) right += found[i] == label[i / static_cast<size_t>(k)] ? 1 : 0;
    EXPECT_DOUBLE_EQ(top.accuracy(), right / 100) << k;
  }
}

TEST(TopKAccuracy, TakesAnyLayoutTypeAndNumberOfAxes) {
  Generator generator(5);
  const Tensor logits = requires_grad_(normal({3, 2, 4}, 0, 1, Dtype::f32, generator));
  const Tensor labels = random_integers({3, 2}, 0, 4, Dtype::i64, generator);
  TopKAccuracy top(2), other(2);
  top.add(contiguous(permute(logits.detach(), {1, 0, 2})), contiguous(permute(labels, {1, 0})));
  other.add(permute(logits, {1, 0, 2}), cast(permute(labels, {1, 0}), Dtype::i32));
  EXPECT_EQ(top.total(), 6);
  EXPECT_EQ(top.accuracy(), other.accuracy());
  Calibration calibration;
  calibration.add(permute(logits, {1, 0, 2}), permute(labels, {1, 0}));
  // 1e-6: cross_entropy computes in f32.
  EXPECT_NEAR(calibration.negative_log_likelihood(), cross_entropy(logits.detach(), labels).item(), 1e-6);
}

TEST(TopKAccuracy, NanIsWrongIgnoredIsPassedOverNothingIsNan) {
  TopKAccuracy top(2);
  EXPECT_THAT(top.accuracy(), IsNan());
  top.add(from_values<float>({kNan, 1, 2, 3, 2, kNan, 3, 2, 1, kNan, 0, 0}, {4, 3}),
          classes({2, 0, 0, -100}));
  EXPECT_EQ(top.total(), 3);
  EXPECT_DOUBLE_EQ(top.accuracy(), 1. / 3);
  EXPECT_THROW(TopKAccuracy(0), ValueError);
  EXPECT_THROW(top.add(zeros({1, 1}), classes({0})), ShapeError);
  EXPECT_THROW(top.add(zeros({2, 3}), classes({0, 3})), ValueError);
  EXPECT_THROW(top.add(zeros({1, 3}, Dtype::i64), classes({0})), TypeError);
  EXPECT_EQ(top.total(), 3);
}

/// Logits whose softmax are these probabilities of two classes, up to rounding.
Tensor log_odds(const std::vector<double>& probabilities) {
  std::vector<double> logits;
  for (const double p : probabilities) {
    logits.push_back(std::log(p));
    logits.push_back(std::log(1 - p));
  }
  return from_values(logits, {static_cast<int64_t>(probabilities.size()), 2});
}

TEST(Calibration, BinsConfidences) {
  Calibration calibration(5);
  calibration.add(log_odds({0.9, 0.85, 0.05}), classes({0, 1, 1}));
  calibration.add(log_odds({0.7, 0.55}), classes({1, 0}));
  EXPECT_EQ(calibration.total(), 5);
  const std::vector<ReliabilityBin> bins = calibration.reliability();
  ASSERT_EQ(bins.size(), 5U);
  for (size_t i = 0; i < 5; ++i) {
    EXPECT_DOUBLE_EQ(bins[i].lower, 0.2 * static_cast<double>(i));
    EXPECT_DOUBLE_EQ(bins[i].upper, 0.2 * static_cast<double>(i + 1));
  }
  // Confidences 0.9, 0.85 and 0.95, of which the second is wrong; 0.7, wrong; 0.55, right.
  EXPECT_EQ(bins[0].count + bins[1].count, 0);
  EXPECT_THAT(bins[1].confidence, IsNan());
  EXPECT_THAT(bins[1].accuracy, IsNan());
  EXPECT_EQ(bins[2].count, 1);
  EXPECT_DOUBLE_EQ(bins[2].confidence, 0.55);
  EXPECT_DOUBLE_EQ(bins[2].accuracy, 1);
  EXPECT_EQ(bins[3].count, 1);
  EXPECT_DOUBLE_EQ(bins[3].accuracy, 0);
  EXPECT_EQ(bins[4].count, 3);
  EXPECT_DOUBLE_EQ(bins[4].confidence, 0.9);
  EXPECT_DOUBLE_EQ(bins[4].accuracy, 2. / 3);
  // 1e-15: a few roundings of numbers up to 1.
  EXPECT_NEAR(calibration.expected_calibration_error(),
              1. / 5 * 0.45 + 1. / 5 * 0.7 + 3. / 5 * (0.9 - 2. / 3), 1e-15);
}

TEST(Calibration, ABinHoldsItsUpperEnd) {
  Calibration calibration(2);
  calibration.add(zeros({1, 2}), classes({1}));  // a confidence of exactly 1/2
  EXPECT_EQ(calibration.reliability()[0].count, 1);
  EXPECT_DOUBLE_EQ(calibration.reliability()[0].accuracy,
                   0);  // of equal classes, the first is the prediction
  calibration.add(from_values<float>({1000, 0}, {1, 2}), classes({0}));  // exactly 1
  EXPECT_EQ(calibration.reliability()[1].count, 1);
  EXPECT_DOUBLE_EQ(calibration.expected_calibration_error(), 0.25);
}

TEST(Calibration, ScoresProbabilities) {
  Calibration calibration;
  EXPECT_EQ(calibration.reliability().size(), 15U);
  calibration.add(log_odds({0.9, 0.2}), classes({0, 0}));
  // Both classes count: (0.1^2 + 0.1^2 + 0.8^2 + 0.8^2) / 2. 1e-15: a few roundings of numbers up to 1.
  EXPECT_NEAR(calibration.brier_score(), 0.65, 1e-15);
  EXPECT_NEAR(calibration.negative_log_likelihood(), -(std::log(0.9) + std::log(0.2)) / 2, 1e-15);
}

TEST(Calibration, LikelihoodIsTheCrossEntropy) {
  Generator generator(4);
  const Tensor logits = normal({50, 7}, 0, 30, Dtype::f64, generator);
  const Tensor labels = random_integers({50}, 0, 7, Dtype::i64, generator);
  Calibration calibration;
  calibration.add(logits, labels);
  // 1e-12: two sums of 50 numbers up to 200, in different orders.
  EXPECT_NEAR(calibration.negative_log_likelihood(), cross_entropy(logits, labels).item(), 1e-12);
  ConfusionMatrix matrix(7);
  matrix.add(logits, labels);
  double right = 0;
  for (const ReliabilityBin& bin : calibration.reliability())
    right += bin.count == 0 ? 0 : bin.accuracy * static_cast<double>(bin.count);
  EXPECT_NEAR(right / 50, matrix.accuracy(), 1e-15);
}

TEST(Calibration, ExtremeLogitsAreExact) {
  Calibration calibration;
  calibration.add(from_values<float>({10000, 0, -10000, 10000}, {2, 2}), classes({1, 1}));
  EXPECT_DOUBLE_EQ(calibration.negative_log_likelihood(), 5000);
  EXPECT_DOUBLE_EQ(calibration.brier_score(), 1);
  EXPECT_DOUBLE_EQ(calibration.expected_calibration_error(), 0.5);
  calibration.add(from_values<float>({0, -kInfinity}, {1, 2}), classes({1}));
  EXPECT_EQ(calibration.negative_log_likelihood(), std::numeric_limits<double>::infinity());
  EXPECT_DOUBLE_EQ(calibration.brier_score(), 4. / 3);
}

TEST(Calibration, AnExampleWithoutProbabilitiesShows) {
  for (const std::vector<float>& row :
       {std::vector{kNan, 1.0F}, {1.0F, kNan}, {kInfinity, 0.0F}, {-kInfinity, -kInfinity}}) {
    Calibration calibration;
    calibration.add(from_values<float>({2, 1}, {1, 2}), classes({0}));
    EXPECT_FALSE(std::isnan(calibration.expected_calibration_error()));
    calibration.add(from_values(row, {1, 2}), classes({-100}));
    EXPECT_FALSE(std::isnan(calibration.expected_calibration_error()));
    calibration.add(from_values(row, {1, 2}), classes({0}));
    EXPECT_EQ(calibration.total(), 2);
    EXPECT_THAT(calibration.expected_calibration_error(), IsNan()) << row[0] << ' ' << row[1];
    EXPECT_THAT(calibration.brier_score(), IsNan()) << row[0] << ' ' << row[1];
    EXPECT_THAT(calibration.negative_log_likelihood(), IsNan()) << row[0] << ' ' << row[1];
    int64_t count = 0;
    for (const ReliabilityBin& bin : calibration.reliability()) count += bin.count;
    EXPECT_EQ(count, 1);
  }
}

TEST(Calibration, RefusesAndSaysNanOfNothing) {
  Calibration calibration;
  EXPECT_THAT(calibration.expected_calibration_error(), IsNan());
  EXPECT_THAT(calibration.brier_score(), IsNan());
  EXPECT_THAT(calibration.negative_log_likelihood(), IsNan());
  EXPECT_THROW(Calibration(0), ValueError);
  EXPECT_THROW(Calibration(Calibration::kMaxBins + 1), ValueError);
  EXPECT_THROW(calibration.add(zeros({2, 3}), classes({0, 3})), ValueError);
  EXPECT_THROW(calibration.add(zeros({2, 3}), classes({0})), ShapeError);
  EXPECT_THROW(calibration.add(empty({1, 3}, Dtype::f32, kMeta), classes({0})), DeviceError);
  EXPECT_EQ(calibration.total(), 0);
}

}  // namespace
}  // namespace espalier::training
