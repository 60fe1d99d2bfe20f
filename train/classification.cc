#include "train/classification.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <span>
#include <string>
#include <type_traits>

#include "core/error.h"
#include "ops/argmax.h"
#include "ops/cast.h"
#include "train/classification_internal.h"

namespace espalier::training {

void check_logits(std::string_view where, const Tensor& logits, const Tensor& labels) {
  if (!is_floating(logits.dtype()))
    throw TypeError(where, "the logits are " + describe(logits) + "; expected a floating type");
  Shape expected = logits.shape();
  if (!expected.empty()) expected.erase(expected.rank() - 1);
  if (logits.rank() == 0 || labels.shape() != expected) {
    throw ShapeError(where, "logits are " + describe(logits) + " and labels " + describe(labels) +
                                "; expected [..., classes] and [...]");
  }
}

std::vector<int64_t> class_indices(std::string_view where, const Tensor& indices) {
  if (indices.dtype() != Dtype::i32 && indices.dtype() != Dtype::i64)
    throw TypeError(where, "classes are " + describe(indices) + "; expected i32 or i64");
  return cast(indices, Dtype::i64).to_vector<int64_t>();
}

namespace {

void check_class(std::string_view where, std::string_view what, size_t at, int64_t index, int64_t classes) {
  if (index >= 0 && index < classes) return;
  throw ValueError(where, std::string(what) + " " + std::to_string(at) + " is " + std::to_string(index) +
                              "; expected a class in [0, " + std::to_string(classes) + ")");
}

}  // namespace

void read_row(const Tensor& rows, int64_t row, std::span<double> to) {
  visit_dtype(rows.dtype(), [&](auto tag) {
    using T = typename decltype(tag)::type;
    const T* const from = rows.data<T>() + row * static_cast<int64_t>(to.size());
    for (size_t k = 0; k < to.size(); ++k) {
      if constexpr (std::is_arithmetic_v<T>)
        to[k] = static_cast<double>(from[k]);
      else
        to[k] = static_cast<double>(static_cast<float>(from[k]));
    }
  });
}

std::vector<int64_t> checked_labels(std::string_view where, const Tensor& labels, int64_t classes,
                                    int64_t ignored) {
  std::vector<int64_t> result = class_indices(where, labels);
  for (size_t i = 0; i < result.size(); ++i) {
    if (result[i] != ignored) check_class(where, "label", i, result[i], classes);
  }
  return result;
}

ConfusionMatrix::ConfusionMatrix(int64_t classes, int64_t ignore_index)
    : classes_(classes), ignore_index_(ignore_index) {
  if (classes < 1 || classes > kMaxClasses) {
    throw ValueError("ConfusionMatrix",
                     std::to_string(classes) + " classes; expected 1 to " + std::to_string(kMaxClasses));
  }
  counts_.resize(static_cast<size_t>(classes * classes));
  undecided_.resize(static_cast<size_t>(classes));
}

void ConfusionMatrix::add(const Tensor& predictions, const Tensor& labels) {
  constexpr std::string_view kName = "ConfusionMatrix";
  constexpr int64_t kUndecided = -1;
  std::vector<int64_t> predicted;
  const std::vector<int64_t> targets = checked_labels(kName, labels, classes_, ignore_index_);
  if (is_floating(predictions.dtype())) {
    check_logits(kName, predictions, labels);
    if (predictions.shape().back() != classes_) {
      throw ShapeError(
          kName, "logits are " + describe(predictions) + " for " + std::to_string(classes_) + " classes");
    }
    const auto [largest, classes] = max_with_indices(predictions.detach());
    predicted = classes.to_vector<int64_t>();
    // The largest is NaN where any is.
    const std::vector<double> values = cast(largest, Dtype::f64).to_vector<double>();
    for (size_t i = 0; i < values.size(); ++i) {
      if (std::isnan(values[i])) predicted[i] = kUndecided;
    }
  } else {
    if (predictions.shape() != labels.shape()) {
      throw ShapeError(kName, "predictions are " + describe(predictions) + " and labels " + describe(labels) +
                                  "; expected the same shape, or logits [..., classes]");
    }
    predicted = class_indices(kName, predictions);
    for (size_t i = 0; i < predicted.size(); ++i) {
      if (targets[i] != ignore_index_) check_class(kName, "prediction", i, predicted[i], classes_);
    }
  }
  for (size_t i = 0; i < targets.size(); ++i) {
    if (targets[i] == ignore_index_) continue;
    if (predicted[i] == kUndecided)
      ++undecided_[static_cast<size_t>(targets[i])];
    else
      ++counts_[static_cast<size_t>(targets[i] * classes_ + predicted[i])];
  }
}

Tensor ConfusionMatrix::counts() const {
  return from_values(counts_, {classes_, classes_});
}

int64_t ConfusionMatrix::total() const {
  return std::accumulate(counts_.begin(), counts_.end(), undecided());
}

int64_t ConfusionMatrix::undecided() const {
  return std::accumulate(undecided_.begin(), undecided_.end(), int64_t{0});
}

int64_t ConfusionMatrix::all_right() const {
  int64_t result = 0;
  for (int64_t k = 0; k < classes_; ++k) result += right(k);
  return result;
}

std::vector<int64_t> ConfusionMatrix::predicted() const {
  std::vector<int64_t> result(undecided_.size());
  for (size_t i = 0; i < counts_.size(); ++i) result[i % result.size()] += counts_[i];
  return result;
}

std::vector<int64_t> ConfusionMatrix::support() const {
  std::vector<int64_t> result = undecided_;
  for (size_t i = 0; i < counts_.size(); ++i) result[i / result.size()] += counts_[i];
  return result;
}

double ConfusionMatrix::accuracy() const {
  return share(static_cast<double>(all_right()), total());
}

std::vector<double> ConfusionMatrix::right_by(const std::vector<int64_t>& counts, double factor) const {
  std::vector<double> result;
  for (size_t k = 0; k < counts.size(); ++k)
    result.push_back(share(factor * static_cast<double>(right(static_cast<int64_t>(k))), counts[k]));
  return result;
}

std::vector<double> ConfusionMatrix::precision() const {
  return right_by(predicted(), 1);
}

std::vector<double> ConfusionMatrix::recall() const {
  return right_by(support(), 1);
}

std::vector<double> ConfusionMatrix::f1() const {
  std::vector<int64_t> both = predicted();
  const std::vector<int64_t> labels = support();
  for (size_t k = 0; k < both.size(); ++k) both[k] += labels[k];
  return right_by(both, 2);
}

double ConfusionMatrix::macro_f1() const {
  double sum = 0;
  int64_t defined = 0;
  for (const double value : f1()) {
    if (std::isnan(value)) continue;
    sum += value;
    ++defined;
  }
  return share(sum, defined);
}

double ConfusionMatrix::micro_f1() const {
  return share(2 * static_cast<double>(all_right()), 2 * total() - undecided());
}

TopKAccuracy::TopKAccuracy(int64_t k, int64_t ignore_index) : k_(k), ignore_index_(ignore_index) {
  if (k < 1) throw ValueError("TopKAccuracy", "k is " + std::to_string(k) + "; expected at least 1");
}

void TopKAccuracy::add(const Tensor& logits, const Tensor& labels) {
  constexpr std::string_view kName = "TopKAccuracy";
  check_logits(kName, logits, labels);
  if (logits.shape().back() < k_) {
    throw ShapeError(kName, "logits are " + describe(logits) + "; expected at least " + std::to_string(k_) +
                                " classes, as many as k");
  }
  for_each_example(kName, logits, labels, ignore_index_, [&](std::span<const double> row, int64_t label) {
    const auto own = row.begin() + label;
    const auto before = std::count_if(row.begin(), own, [&](double x) { return x >= *own; }) +
                        std::count_if(own, row.end(), [&](double x) { return x > *own; });
    const bool decided = std::none_of(row.begin(), row.end(), [](double x) { return std::isnan(x); });
    right_ += decided && before < k_ ? 1 : 0;
    ++total_;
  });
}

double TopKAccuracy::accuracy() const {
  return share(static_cast<double>(right_), total_);
}

}  // namespace espalier::training
