#include <algorithm>
#include <cmath>
#include <span>
#include <string>

#include "core/error.h"
#include "train/classification.h"
#include "train/classification_internal.h"

namespace espalier::training {

Calibration::Calibration(int64_t bins, int64_t ignore_index) : ignore_index_(ignore_index) {
  if (bins < 1 || bins > kMaxBins) {
    throw ValueError("Calibration",
                     std::to_string(bins) + " bins; expected 1 to " + std::to_string(kMaxBins));
  }
  bins_.resize(static_cast<size_t>(bins));
}

void Calibration::add(const Tensor& logits, const Tensor& labels) {
  for_each_example("Calibration", logits, labels, ignore_index_,
                   [&](std::span<const double> row, int64_t label) { add_example(row, label); });
}

void Calibration::add_example(std::span<const double> logits, int64_t label) {
  const auto top = std::max_element(logits.begin(), logits.end());
  double sum = 0;
  for (const double x : logits) sum += std::exp(x - *top);
  // NaN wherever softmax is, and then all that follows is.
  const double log_sum = *top + std::log(sum);
  for (size_t k = 0; k < logits.size(); ++k) {
    const double miss = std::exp(logits[k] - log_sum) - (static_cast<int64_t>(k) == label ? 1 : 0);
    brier_ += miss * miss;
  }
  log_likelihood_ += logits[static_cast<size_t>(label)] - log_sum;
  ++total_;
  if (std::isnan(sum)) return;
  const double confidence = 1 / sum;
  const auto count = static_cast<int64_t>(bins_.size());
  // The bins' upper ends belong to them.
  const auto place = static_cast<int64_t>(std::ceil(confidence * static_cast<double>(count))) - 1;
  Bin& bin = bins_[static_cast<size_t>(std::clamp<int64_t>(place, 0, count - 1))];
  ++bin.count;
  bin.right += top - logits.begin() == label ? 1 : 0;
  bin.confidence += confidence;
}

double Calibration::expected_calibration_error() const {
  double sum = 0;
  int64_t count = 0;
  for (const Bin& bin : bins_) {
    sum += std::abs(static_cast<double>(bin.right) - bin.confidence);
    count += bin.count;
  }
  return count == total_ ? share(sum, total_) : std::nan("");
}

std::vector<ReliabilityBin> Calibration::reliability() const {
  const auto count = static_cast<double>(bins_.size());
  std::vector<ReliabilityBin> result;
  for (size_t i = 0; i < bins_.size(); ++i) {
    const Bin& bin = bins_[i];
    result.push_back({.lower = static_cast<double>(i) / count,
                      .upper = static_cast<double>(i + 1) / count,
                      .count = bin.count,
                      .confidence = share(bin.confidence, bin.count),
                      .accuracy = share(static_cast<double>(bin.right), bin.count)});
  }
  return result;
}

double Calibration::brier_score() const {
  return share(brier_, total_);
}

double Calibration::negative_log_likelihood() const {
  return share(-log_likelihood_, total_);
}

}  // namespace espalier::training
