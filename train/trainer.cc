#include "train/trainer.h"

#include <cmath>
#include <utility>

#include "report/progress.h"
#include "report/table.h"
#include "train/trainer_run_internal.h"

namespace espalier::training {

Trainer::Trainer(std::function<void(bool)> set_training, optim::Optimiser& optimiser, data::Loader& loader,
                 Loss loss)
    : set_training_(std::move(set_training)), optimiser_(optimiser), loader_(loader), loss_(std::move(loss)) {
  state_.add("optimiser", optimiser_).add("loader", loader_).add_random();
}

Trainer& Trainer::with(optim::Scheduler& scheduler) {
  scheduler_ = &scheduler;
  state_.add("scheduler", scheduler);
  return *this;
}

Trainer& Trainer::with(optim::WeightAverage& average) {
  average_ = &average;
  state_.add("average", average);
  return *this;
}

Trainer& Trainer::evaluate(Evaluation evaluation) {
  evaluation_ = std::move(evaluation);
  return *this;
}

std::string metric_text(double value) {
  return report::fixed(value, value == std::round(value) ? 0 : 4);
}

TrainingSummary Trainer::run(const TrainerOptions& options) {
  return Run(*this, options)();
}

std::vector<report::KeyValue> entries_of(const TrainingSummary& summary) {
  std::vector<report::KeyValue> entries = {{"steps", std::to_string(summary.steps)},
                                           {"epochs", std::to_string(summary.epochs)},
                                           {"time", report::format_duration(summary.seconds)},
                                           {"training loss", report::fixed(summary.loss, 4)}};
  for (const io::Metric& metric : summary.evaluation)
    entries.push_back({metric.name, metric_text(metric.value)});
  if (summary.best)
    entries.push_back({"best", metric_text(*summary.best) + " at step " + std::to_string(summary.best_step)});
  if (summary.overflows > 0) entries.push_back({"overflows", std::to_string(summary.overflows)});
  if (summary.stopped_early) entries.push_back({"ended", "early: no further progress"});
  if (summary.interrupted) entries.push_back({"ended", "by a signal"});
  return entries;
}

std::ostream& operator<<(std::ostream& out, const TrainingSummary& summary) {
  report::Table table({"training", ""});
  for (const report::KeyValue& entry : entries_of(summary)) table.add_row({entry.key, entry.value});
  return out << table;
}

}  // namespace espalier::training
