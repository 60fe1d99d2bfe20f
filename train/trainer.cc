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

std::ostream& operator<<(std::ostream& out, const TrainingSummary& summary) {
  report::Table table({"training", ""});
  table.add_row({"steps", std::to_string(summary.steps)});
  table.add_row({"epochs", std::to_string(summary.epochs)});
  table.add_row({"time", report::format_duration(summary.seconds)});
  table.add_row({"training loss", report::fixed(summary.loss, 4)});
  for (const io::Metric& metric : summary.evaluation) table.add_row({metric.name, metric_text(metric.value)});
  if (summary.best)
    table.add_row({"best", metric_text(*summary.best) + " at step " + std::to_string(summary.best_step)});
  if (summary.overflows > 0) table.add_row({"overflows", std::to_string(summary.overflows)});
  if (summary.stopped_early) table.add_row({"ended", "early: no further progress"});
  if (summary.interrupted) table.add_row({"ended", "by a signal"});
  return out << table;
}

}  // namespace espalier::training
