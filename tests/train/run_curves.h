#pragma once

#include <filesystem>
#include <map>
#include <string>

#include "io/read_metrics.h"
#include "tests/io/event_reader.h"

namespace espalier::training {

/// The curves that TensorBoard is to show of a run, from the rows in its folder.
inline std::map<std::string, test::Curve> expected_curves(const std::filesystem::path& folder) {
  static const std::map<std::string, std::string> kTags = {{"train_loss", "train/loss"},
                                                           {"learning_rate", "train/learning_rate"},
                                                           {"gradient_norm", "train/gradient_norm"},
                                                           {"accuracy", "evaluation/accuracy"}};
  std::map<std::string, test::Curve> curves;
  for (const io::MetricsRow& row : io::read_metrics(folder / "metrics.jsonl")) {
    for (const io::Metric& metric : row.metrics)
      curves[kTags.at(metric.name)][row.step] = static_cast<float>(metric.value);
  }
  return curves;
}

}  // namespace espalier::training
