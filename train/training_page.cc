#include "train/training_page.h"

#include <algorithm>
#include <numeric>
#include <vector>

#include "autograd/autograd.h"
#include "core/error.h"
#include "ops/argmax.h"
#include "ops/cast.h"
#include "ops/max.h"
#include "ops/softmax.h"
#include "report/progress.h"
#include "train/trainer_run_internal.h"

namespace espalier::training {
namespace {

/// One line for each metric of the history, in the order in which they appear.
std::vector<report::Series> curves_of(const std::vector<io::MetricsRow>& history) {
  std::vector<report::Series> curves;
  for (const io::MetricsRow& row : history) {
    for (const io::Metric& metric : row.metrics) {
      auto curve = std::find_if(curves.begin(), curves.end(),
                                [&](const report::Series& one) { return one.name == metric.name; });
      if (curve == curves.end()) curve = curves.insert(curves.end(), report::Series{metric.name, {}});
      curve->x.push_back(static_cast<double>(row.step));
      curve->y.push_back(metric.value);
    }
  }
  return curves;
}

/// What is read by its digits, not by its differences.
bool wants_log_scale(const std::string& name) {
  return name.ends_with("loss") || name == "gradient_norm" || name == "loss_scale";
}

void add_curves(report::Page& page, const std::vector<report::Series>& curves) {
  const auto chart = [&page](std::span<const report::Series> lines, const std::string& title) {
    page.figure(report::line_chart(
        lines, {.title = title,
                .x_label = "step",
                .y_scale = wants_log_scale(title) ? report::Scale::log : report::Scale::linear}));
  };
  std::vector<report::Series> losses;
  std::copy_if(curves.begin(), curves.end(), std::back_inserter(losses),
               [](const report::Series& one) { return one.name.ends_with("loss"); });
  if (!losses.empty()) chart(losses, "loss");
  for (const report::Series& curve : curves) {
    if (!curve.name.ends_with("loss")) chart({&curve, 1}, curve.name);
  }
}

struct Mistake {
  float confidence;
  int64_t number, label, taken;
};

constexpr int64_t kAtOnce = 256;  // images, so that memory stays small

/// The mistakes among `examples`, the first of which has the number `first`.
void find_mistakes(const Tensor& logits, const Tensor& labels, int64_t first,
                   std::vector<Mistake>& mistakes) {
  const Tensor probabilities = softmax(cast(logits, Dtype::f32), 1);
  const std::vector<int64_t> taken = argmax(probabilities, 1).to_vector<int64_t>(),
                             right = labels.to_vector<int64_t>();
  const std::vector<float> confidence = max(probabilities, {1}).to_vector<float>();
  for (size_t i = 0; i < right.size(); ++i) {
    if (taken[i] != right[i])
      mistakes.push_back({confidence[i], first + static_cast<int64_t>(i), right[i], taken[i]});
  }
}

}  // namespace

void add_mistakes(report::Page& page, const data::DataSet& set, std::span<const std::string> classes,
                  const std::function<Tensor(const data::Examples&)>& logits, int64_t most) {
  constexpr const char* kWhere = "add_mistakes";
  if (most < 1) throw ValueError(kWhere, "most is " + std::to_string(most) + "; expected 1 or more");
  const auto count = static_cast<int64_t>(classes.size());
  const NoGrad no_grad;
  std::vector<Mistake> mistakes;
  std::vector<int64_t> numbers;
  for (int64_t first = 0; first < set.size(); first += kAtOnce) {
    numbers.resize(static_cast<size_t>(std::min(kAtOnce, set.size() - first)));
    std::iota(numbers.begin(), numbers.end(), first);
    const data::Examples examples = set.read(numbers);
    const Tensor scores = logits(examples);
    if (scores.shape() != Shape{examples.size(), count} ||
        examples.labels.shape() != Shape{examples.size()}) {
      throw ShapeError(kWhere, "logits and labels are " + describe(scores) + " and " +
                                   describe(examples.labels) + "; expected [B, " + std::to_string(count) +
                                   "] and [B], as there are names");
    }
    find_mistakes(scores, examples.labels, first, mistakes);
  }
  if (mistakes.empty()) return;
  std::stable_sort(mistakes.begin(), mistakes.end(),
                   [](const Mistake& a, const Mistake& b) { return a.confidence > b.confidence; });
  mistakes.resize(std::min(mistakes.size(), static_cast<size_t>(most)));
  numbers.clear();
  std::vector<std::string> captions;
  for (const Mistake& mistake : mistakes) {
    if (mistake.label < 0 || mistake.label >= count) {
      throw ValueError(kWhere, "example " + std::to_string(mistake.number) + " has the label " +
                                   std::to_string(mistake.label) + "; there are " + std::to_string(count) +
                                   " names");
    }
    numbers.push_back(mistake.number);
    captions.push_back(classes[static_cast<size_t>(mistake.label)] + " taken for " +
                       classes[static_cast<size_t>(mistake.taken)] + ", " +
                       report::fixed(100 * static_cast<double>(mistake.confidence), 0) + " %");
  }
  page.images(set.read(numbers).inputs, captions);
}

report::Page training_page(std::string_view title, const TrainingSummary& summary,
                           const std::map<std::string, std::string>& recipe) {
  report::Page page(title);
  page.key_values(entries_of(summary));
  if (!recipe.empty()) {
    page.heading("Recipe");
    std::vector<report::KeyValue> entries;
    for (const auto& [key, value] : recipe) entries.push_back({key, value});
    page.key_values(entries);
  }
  page.heading("Training");
  add_curves(page, curves_of(summary.history));
  std::vector<report::Bar> bars;
  for (const auto& [name, seconds] : summary.phases)
    bars.push_back({name, seconds, report::format_duration(seconds)});
  if (!bars.empty()) page.figure(report::bar_chart(bars, {.title = "time"}));
  return page;
}

}  // namespace espalier::training
