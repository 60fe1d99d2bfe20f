#include "train/training_page.h"

#include <algorithm>
#include <vector>

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

}  // namespace

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
