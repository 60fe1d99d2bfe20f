#include <algorithm>
#include <chrono>
#include <cmath>
#include <limits>
#include <span>

#include "autograd/autograd.h"
#include "core/error.h"
#include "ops/autocast.h"
#include "ops/multiply.h"
#include "optim/clip.h"
#include "report/table.h"
#include "train/trainer_run_internal.h"

namespace espalier::training {
namespace {

constexpr const char* kTrainer = "Trainer";

void check_at_least(const char* what, int64_t value, int64_t least) {
  if (value >= least) return;
  throw ValueError(kTrainer, std::string(what) + " " + std::to_string(value) + "; expected " +
                                 std::to_string(least) + " or more");
}

void check(const TrainerOptions& options) {
  if ((options.epochs > 0) == (options.steps > 0) || options.epochs < 0 || options.steps < 0) {
    throw ValueError(kTrainer, std::to_string(options.epochs) + " epochs and " +
                                   std::to_string(options.steps) +
                                   " steps; expected a positive number of one of them");
  }
  check_at_least("accumulate", options.accumulate, 1);
  check_at_least("evaluate_every", options.evaluate_every, 0);
  check_at_least("log_every", options.log_every, 1);
  check_at_least("checkpoint_every", options.checkpoint_every, 0);
  if (!(options.clip_norm >= 0))
    throw ValueError(kTrainer, "clip_norm " + std::to_string(options.clip_norm) + "; expected 0 or more");
  if (options.patience && options.metric.empty())
    throw ValueError(kTrainer, "patience needs the name of a metric");
  const Autocast allowed(options.precision);
  if (options.resume && options.folder.empty()) throw ValueError(kTrainer, "resume needs a folder");
  if (options.tensorboard && options.folder.empty()) throw ValueError(kTrainer, "tensorboard needs a folder");
}

EarlyStoppingOptions stopping_options(const TrainerOptions& options) {
  return {.maximise = options.maximise,
          .patience = options.patience.value_or(std::numeric_limits<int64_t>::max())};
}

/// Lets the model hold the average while it lives.
class Swapped {
 public:
  explicit Swapped(optim::WeightAverage* average) : average_(average) {
    if (average_) average_->swap();
  }
  ~Swapped() {
    if (average_) average_->swap();
  }
  Swapped(const Swapped&) = delete;
  Swapped& operator=(const Swapped&) = delete;

 private:
  optim::WeightAverage* average_;
};

template <class File>
void flush_quietly(File* file) {
  try {
    if (file) file->flush();
  } catch (const IoError&) {  // NOLINT(bugprone-empty-catch): another error is on its way
  }
}

/// The run's numbers as tensors.
struct Saved {
  Tensor step = zeros({}, Dtype::i64), loss_count = zeros({}, Dtype::i64), best_step = zeros({}, Dtype::i64);
  Tensor loss_sum = zeros({}, Dtype::f64), shown_loss = zeros({}, Dtype::f64);

  void visit(nn::Visitor& visitor) {
    visitor.buffer("step", step);
    visitor.buffer("loss_count", loss_count);
    visitor.buffer("best_step", best_step);
    visitor.buffer("loss_sum", loss_sum);
    visitor.buffer("shown_loss", shown_loss);
  }
};

}  // namespace

Trainer::Run::Run(Trainer& trainer, const TrainerOptions& options)
    : trainer_(trainer), options_(options), parts_(trainer.state_), stopping_(stopping_options(options)) {
  check(options);
  parts_.add("trainer", *this).add("early_stopping", stopping_);
  if (options.precision == Dtype::f16) parts_.add("loss_scaler", scaler_.emplace());
}

nn::StateMap Trainer::Run::state() const {
  return {{"step", full({}, step_, Dtype::i64)},
          {"loss_count", full({}, loss_count_, Dtype::i64)},
          {"best_step", full({}, best_step_, Dtype::i64)},
          {"loss_sum", full({}, loss_sum_, Dtype::f64)},
          {"shown_loss", full({}, shown_loss_, Dtype::f64)}};
}

void Trainer::Run::load_state(const nn::StateMap& state) {
  Saved saved;
  nn::load_state(saved, state);
  step_ = *saved.step.data<int64_t>();
  loss_count_ = *saved.loss_count.data<int64_t>();
  best_step_ = *saved.best_step.data<int64_t>();
  loss_sum_ = saved.loss_sum.item();
  shown_loss_ = saved.shown_loss.item();
}

int64_t Trainer::Run::epochs_done() const {
  const data::Loader& loader = trainer_.loader_;
  return loader.epoch() + (loader.batch() == loader.size() ? 1 : 0);
}

bool Trainer::Run::finished() const {
  if (stopping_.should_stop()) return true;
  return options_.steps > 0 ? step_ >= options_.steps : epochs_done() >= options_.epochs;
}

int64_t Trainer::Run::total_steps() const {
  const int64_t batches = trainer_.loader_.size();
  return options_.steps > 0 ? options_.steps
                            : options_.epochs * ((batches + options_.accumulate - 1) / options_.accumulate);
}

void Trainer::Run::open_folder() {
  if (options_.folder.empty()) return;
  folder_ =
      std::make_unique<io::CheckpointFolder>(options_.folder, io::KeepOptions{.last = options_.keep_last,
                                                                              .best = options_.keep_best,
                                                                              .metric = options_.metric,
                                                                              .maximise = options_.maximise});
  if (!options_.resume && !folder_->steps().empty()) {
    throw ValueError(options_.folder.string(),
                     "holds checkpoints of an earlier run; resume it, or choose another folder");
  }
  if (const auto last = folder_->load_last()) {
    parts_.load_state(last->parts);
    for (const auto& [name, value] : last->metrics) evaluation_.push_back({name, value});
    saved_step_ = step_;
  }
  const std::filesystem::path path = options_.folder / "metrics.jsonl";
  const int64_t first_step = step_ > 0 ? step_ + 1 : 0;
  log_ = std::make_unique<io::MetricsLog>(path, first_step);
  history_ = io::read_metrics(path);
  if (options_.tensorboard)
    events_ = std::make_unique<RunEvents>(options_.folder, first_step, options_.notes);
}

void Trainer::Run::add_gradients(const data::Examples& batch, int64_t batches) {
  Tensor loss;
  {
    const Autocast autocast(options_.precision);
    loss = trainer_.loss_(batch);
  }
  const double value = loss.item();
  if (!std::isfinite(value)) {
    throw NumericError(kTrainer, "the loss is " + std::to_string(value) + " in step " +
                                     std::to_string(step_ + 1) + "; try a lower learning rate or clip_norm");
  }
  if (batches > 1) loss = loss * (1.0 / static_cast<double>(batches));
  clock_.part(Phase::forward);
  backward(scaler_ ? scaler_->scale(loss) : loss);
  clock_.part(Phase::backward);
  loss_sum_ += value;
  ++loss_count_;
  displayed_.add(value);
}

void Trainer::Run::train_step() {
  clock_.begin_step();
  data::Loader& loader = trainer_.loader_;
  if (loader.batch() == loader.size()) loader.next();  // the border between two epochs
  const int64_t batches = std::min(options_.accumulate, loader.size() - loader.batch());
  trainer_.optimiser_.zero_grad();
  for (int64_t i = 0; i < batches; ++i) {
    std::optional<data::Examples> batch = loader.next();
    while (!batch) batch = loader.next();
    clock_.part(Phase::data);
    add_gradients(*batch, batches);
  }
  ++step_;
  update_weights();
  clock_.part(Phase::update);
  clock_.end_step();
}

void Trainer::Run::update_weights() {
  if (scaler_ && !scaler_->unscale_(trainer_.optimiser_.parameters())) return;
  if (options_.clip_norm > 0) {
    gradient_norm_ =
        optim::clip_grad_norm(trainer_.optimiser_.parameters(), options_.clip_norm, optim::NonFinite::refuse)
            .item();
  }
  trainer_.optimiser_.step();
  if (trainer_.scheduler_) trainer_.scheduler_->step();
  if (trainer_.average_) trainer_.average_->update();
}

void Trainer::Run::evaluate() {
  if (!trainer_.evaluation_) return;
  clock_.begin();
  {
    const NoGrad no_grad;
    const Swapped swapped(trainer_.average_);
    trainer_.set_training_(false);
    evaluation_ = trainer_.evaluation_();
  }
  trainer_.set_training_(true);
  clock_.end_of(Phase::evaluation);
  evaluated_ = true;
  if (options_.metric.empty()) return;
  const auto metric = std::find_if(evaluation_.begin(), evaluation_.end(),
                                   [this](const io::Metric& one) { return one.name == options_.metric; });
  if (metric == evaluation_.end()) {
    std::string known;
    for (const io::Metric& one : evaluation_) known += (known.empty() ? "" : ", ") + one.name;
    throw ValueError(kTrainer, "the evaluation has no metric '" + options_.metric + "'; it has: " + known);
  }
  stopping_.step(metric->value);
  if (stopping_.improved()) best_step_ = step_;
}

void Trainer::Run::write_row() {
  if (loss_count_ > 0) shown_loss_ = loss_sum_ / static_cast<double>(loss_count_);
  loss_sum_ = 0;
  loss_count_ = 0;
  std::vector<io::Metric> row{{"train_loss", shown_loss_},
                              {"learning_rate", trainer_.optimiser_.learning_rate()}};
  if (options_.clip_norm > 0) row.push_back({"gradient_norm", gradient_norm_});
  if (scaler_) row.push_back({"loss_scale", scaler_->scale()});
  const size_t own = row.size();
  if (evaluated_) row.insert(row.end(), evaluation_.begin(), evaluation_.end());
  if (log_) log_->add(step_, row);
  if (events_) {
    const std::span<const io::Metric> all(row);
    events_->add_training(step_, all.first(own));
    if (evaluated_) events_->add_evaluation(step_, all.subspan(own), trainer_.optimiser_);
  }
  history_.push_back({step_, std::move(row)});
}

void Trainer::Run::flush() {
  if (log_) log_->flush();
  if (events_) events_->flush();
}

void Trainer::Run::save() {
  if (!folder_ || saved_step_ == step_) return;
  clock_.begin();
  flush();  // no row before the checkpoint may be missing
  io::Checkpoint checkpoint{.step = step_, .parts = parts_.state(), .notes = options_.notes};
  if (evaluated_) {
    for (const io::Metric& metric : evaluation_) checkpoint.metrics[metric.name] = metric.value;
  }
  folder_->save(checkpoint);
  clock_.end_of(Phase::saving);
  saved_step_ = step_;
}

std::string Trainer::Run::note() const {
  std::string text = "loss " + report::fixed(displayed_.value(), 3);
  if (evaluation_.empty()) return text;
  return text + "  " + evaluation_[0].name + " " + metric_text(evaluation_[0].value);
}

void Trainer::Run::train(const Interrupt& interrupt) {
  while (!finished() && !interrupt.requested()) {
    train_step();
    evaluated_ = false;
    const bool epoch_ended = trainer_.loader_.batch() == trainer_.loader_.size();
    const auto every = [this](int64_t steps) { return steps > 0 && step_ % steps == 0; };
    if (options_.evaluate_every > 0 ? every(options_.evaluate_every) || finished()
                                    : epoch_ended || finished())
      evaluate();
    // The last row stands before the last checkpoint, so that a run which is over and resumed adds nothing.
    if (evaluated_ || every(options_.log_every) || finished()) write_row();
    if (options_.checkpoint_every > 0 ? every(options_.checkpoint_every) : evaluated_ || epoch_ended) save();
    if (progress_ && progress_->due()) progress_->update(step_, note());
  }
  save();  // of an interrupted run, what it has not written yet as well
  flush();
}

TrainingSummary Trainer::Run::operator()() {
  using Clock = std::chrono::steady_clock;
  const Clock::time_point start = Clock::now();
  const Interrupt interrupt;
  open_folder();
  if (options_.progress) {
    progress_ = std::make_unique<report::Progress>("training", total_steps());
    progress_->resume(step_);
  }
  trainer_.set_training_(true);
  try {
    train(interrupt);
  } catch (const IoError&) {
    // On a full disk there is no room for the last metrics either, which need not be said of each file.
    flush_quietly(log_.get());
    flush_quietly(events_.get());
    throw;
  }
  if (progress_) progress_->update(step_, note());
  progress_.reset();

  return {.steps = step_,
          .epochs = epochs_done(),
          .seconds = std::chrono::duration<double>(Clock::now() - start).count(),
          .interrupted = interrupt.requested() && !finished(),
          .stopped_early = stopping_.should_stop(),
          .overflows = scaler_ ? scaler_->skipped() : 0,
          .loss = shown_loss_,
          .evaluation = evaluation_,
          .best = stopping_.best_step() > 0 ? std::optional(stopping_.best()) : std::nullopt,
          .best_step = best_step_,
          .history = std::move(history_),
          .phases = clock_.times()};
}

}  // namespace espalier::training
