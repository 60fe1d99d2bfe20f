#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "core/export.h"
#include "core/tensor.h"

/// What accompanies the training of a model: metrics, averages, and when to stop.
namespace espalier::training {

/// Counts what a classifier said against what was right, over any number of batches, and what follows from
/// the counts. For classes that are many (the words of a language), TopKAccuracy needs no matrix.
///
/// An example whose logits hold a NaN has no prediction: it is counted as undecided, which is wrong for
/// accuracy() and its label's recall() and concerns no class's precision(). What divides by 0 is NaN: the
/// accuracy of nothing, the precision of a class that was never predicted. One thread at a time may use it.
///
///   training::ConfusionMatrix matrix(10);
///   for (const data::Examples& batch : loader) matrix.add(net(batch.inputs), batch.labels);
///   std::printf("%.1f %%\n", 100 * matrix.accuracy());
class ESPALIER_API ConfusionMatrix {
 public:
  /// The most classes that a matrix may have: its counts then take 8 GiB.
  static constexpr int64_t kMaxClasses = 32768;

  /// Labels of `ignore_index` are passed over, as by cross_entropy(). Throws ValueError unless 1 <= classes
  /// <= kMaxClasses.
  explicit ConfusionMatrix(int64_t classes, int64_t ignore_index = -100);

  /// Counts a batch: `labels` are classes [...] (i32, i64), `predictions` either logits [..., classes]
  /// (floating), of which the largest is the prediction, the first of equal ones, or classes [...] (i32,
  /// i64). Throws ShapeError and TypeError where they do not fit, DeviceError where they are not in the
  /// host's memory, ValueError for a label outside [0, classes) that is not ignored and a prediction outside
  /// [0, classes) whose label is not ignored; then nothing is counted.
  void add(const Tensor& predictions, const Tensor& labels);

  int64_t classes() const noexcept { return classes_; }
  /// Counts as i64 [classes, classes], rows by label, columns by prediction; the tensor is the caller's own.
  Tensor counts() const;
  /// The examples, undecided ones included.
  int64_t total() const;
  /// The examples without a prediction.
  int64_t undecided() const;

  /// The share of examples whose label was predicted; NaN where there are none.
  double accuracy() const;
  /// Of each class: the examples with this label, undecided ones included.
  std::vector<int64_t> support() const;
  /// Of each class: the share of its predictions that were right; NaN where it was never predicted.
  std::vector<double> precision() const;
  /// Of each class: the share of the examples with this label that were found; NaN where there are none.
  std::vector<double> recall() const;
  /// Of each class: the harmonic mean of precision and recall, 2 right / (predicted + support); NaN where it
  /// is neither predicted nor a label.
  std::vector<double> f1() const;
  /// The mean of f1() over the classes that are predicted or labels: scikit-learn's average="macro". NaN
  /// where there are none.
  double macro_f1() const;
  /// The F1 of all classes' counts added up: the accuracy, where no example is undecided. NaN for none.
  double micro_f1() const;

 private:
  int64_t right(int64_t label) const { return counts_[static_cast<size_t>(label * classes_ + label)]; }
  int64_t all_right() const;
  std::vector<int64_t> predicted() const;
  std::vector<double> right_by(const std::vector<int64_t>& counts, double factor) const;

  int64_t classes_, ignore_index_;
  std::vector<int64_t> counts_;     // [classes, classes]
  std::vector<int64_t> undecided_;  // by label
};

/// The share of examples whose label is among the k classes with the largest logits, of equal logits the
/// first, as topk() has them; k = 1 is accuracy. An example whose logits hold a NaN is wrong. One thread at a
/// time may use it.
class ESPALIER_API TopKAccuracy {
 public:
  /// Throws ValueError for a k under 1.
  explicit TopKAccuracy(int64_t k, int64_t ignore_index = -100);

  /// Counts a batch: floating logits [..., classes] and labels [...] (i32, i64). Throws ShapeError and
  /// TypeError where they do not fit or there are fewer than k classes, DeviceError where they are not in the
  /// host's memory, ValueError for a label outside [0, classes) that is not ignored; then nothing is counted.
  void add(const Tensor& logits, const Tensor& labels);

  /// NaN where nothing was counted.
  double accuracy() const;
  /// The examples counted.
  int64_t total() const noexcept { return total_; }

 private:
  int64_t k_, ignore_index_;
  int64_t right_ = 0, total_ = 0;
};

/// What was predicted with a confidence in (lower, upper].
struct ReliabilityBin {
  double lower, upper;
  int64_t count;
  double confidence;  ///< the mean; NaN where count is 0
  double accuracy;    ///< NaN where count is 0
};

/// How far a classifier's probabilities, the softmax of its logits, can be believed. The prediction is the
/// first of the largest logits, its probability the confidence. (Logarithms of probabilities are logits,
/// too.) All is computed in f64.
///
/// An example without probabilities (softmax gives NaN: a logit is NaN or +inf, or all are -inf) is in no bin
/// and makes every figure NaN; so does counting nothing. One thread at a time may use it.
class ESPALIER_API Calibration {
 public:
  /// The most bins.
  static constexpr int64_t kMaxBins = 1 << 20;

  /// Bins of equal width from 0 to 1. Throws ValueError unless 1 <= bins <= kMaxBins.
  explicit Calibration(int64_t bins = 15, int64_t ignore_index = -100);

  /// Counts a batch, as TopKAccuracy::add() does.
  void add(const Tensor& logits, const Tensor& labels);

  /// The examples counted.
  int64_t total() const noexcept { return total_; }
  /// The mean over the examples of |accuracy - confidence| of their bin, from 0 to 1: equation 3 of Guo et
  /// al., "On Calibration of Modern Neural Networks" (ICML 2017).
  double expected_calibration_error() const;
  /// The table behind it, from the lowest bin to the highest.
  std::vector<ReliabilityBin> reliability() const;
  /// The mean over the examples of the sum over the classes of (probability - [class is the label])^2, from 0
  /// to 2: Brier, "Verification of Forecasts Expressed in Terms of Probability" (1950). (Half of it is in use
  /// for two classes.)
  double brier_score() const;
  /// The mean over the examples of -log(probability of the label), in nats: the cross-entropy.
  double negative_log_likelihood() const;

 private:
  struct Bin {
    int64_t count = 0, right = 0;
    double confidence = 0;  // the sum
  };

  void add_example(std::span<const double> logits, int64_t label);

  int64_t ignore_index_;
  std::vector<Bin> bins_;
  int64_t total_ = 0;
  double brier_ = 0, log_likelihood_ = 0;  // sums
};

}  // namespace espalier::training
