#include "cli/experiment.h"

#include <algorithm>
#include <utility>

#include "autograd/autograd.h"
#include "core/error.h"
#include "ops/add.h"
#include "ops/autocast.h"
#include "ops/cross_entropy.h"
#include "ops/mse_loss.h"
#include "ops/random.h"
#include "ops/reshape.h"
#include "optim/adam.h"
#include "optim/lion.h"
#include "optim/regularisers.h"
#include "optim/rmsprop.h"
#include "optim/sgd.h"
#include "train/averages.h"
#include "train/classification.h"

namespace espalier::cli {
namespace {

using Kind = Problem::Kind;

/// An optimiser that lets biases and the weights of norms, which have one axis, decay only where the recipe
/// says so.
template <class O, class Options>
std::unique_ptr<optim::Optimiser> make(nn::AnyLayer& network, const Options& options, bool decay_all) {
  const nn::NamedTensors parameters = nn::named_parameters(network);
  optim::Group<Options> undecayed{{}, options};
  undecayed.options.weight_decay = 0;
  for (const auto& [name, parameter] : parameters) {
    if (parameter.rank() < 2) undecayed.patterns.push_back(name);
  }
  optim::Groups<Options> groups;
  if (!decay_all && options.weight_decay > 0 && !undecayed.patterns.empty())
    groups.push_back(std::move(undecayed));
  return std::make_unique<O>(parameters, options, groups);
}

std::unique_ptr<optim::Optimiser> make_optimiser(nn::AnyLayer& network, const Recipe& recipe) {
  const double rate = recipe.learning_rate, decay = recipe.weight_decay;
  if (recipe.optimiser == "sgd") {
    const optim::SgdOptions options{.learning_rate = rate,
                                    .momentum = recipe.momentum,
                                    .weight_decay = decay,
                                    .nesterov = recipe.nesterov};
    return make<optim::Sgd>(network, options, recipe.decay_all);
  }
  if (recipe.optimiser == "adam") {
    const optim::AdamOptions options{
        .learning_rate = rate, .beta1 = recipe.beta1, .beta2 = recipe.beta2, .weight_decay = decay};
    return make<optim::Adam>(network, options, recipe.decay_all);
  }
  if (recipe.optimiser == "adamw") {
    const optim::AdamWOptions options{
        .learning_rate = rate, .beta1 = recipe.beta1, .beta2 = recipe.beta2, .weight_decay = decay};
    return make<optim::AdamW>(network, options, recipe.decay_all);
  }
  if (recipe.optimiser == "rmsprop") {
    const optim::RmspropOptions options{
        .learning_rate = rate, .weight_decay = decay, .momentum = recipe.momentum};
    return make<optim::Rmsprop>(network, options, recipe.decay_all);
  }
  const optim::LionOptions options{
      .learning_rate = rate, .beta1 = recipe.beta1, .beta2 = recipe.beta2, .weight_decay = decay};
  return make<optim::Lion>(network, options, recipe.decay_all);
}

std::unique_ptr<optim::Scheduler> make_scheduler(optim::Optimiser& optimiser, const Recipe& recipe,
                                                 int64_t steps) {
  if (recipe.schedule == "one_cycle") {
    if (recipe.warm_up > 0) throw ValueError("warm_up", "does not go with one_cycle, which rises by itself");
    const optim::OneCycle cycle = optim::one_cycle({.steps = steps});
    if (optimiser.has_momentum())
      return std::make_unique<optim::Scheduler>(optimiser, cycle.rate, cycle.momentum);
    return std::make_unique<optim::Scheduler>(optimiser, cycle.rate);
  }
  const int64_t warm_up = std::min(recipe.warm_up, steps - 1), rest = steps - warm_up;
  const optim::Schedule after = recipe.schedule == "cosine"   ? optim::cosine(rest, recipe.final_rate)
                                : recipe.schedule == "linear" ? optim::linear(1, recipe.final_rate, rest)
                                                              : optim::constant();
  if (warm_up == 0) return std::make_unique<optim::Scheduler>(optimiser, after);
  return std::make_unique<optim::Scheduler>(optimiser,
                                            optim::sequential({optim::warm_up(warm_up), after}, {warm_up}));
}

Tensor loss_of(const Tensor& outputs, const Tensor& labels, const Problem& problem, double smoothing) {
  if (problem.kind == Kind::values) return mse_loss(outputs, reshape(labels, outputs.shape()));
  return cross_entropy(outputs, labels, {.label_smoothing = smoothing});
}

std::optional<Dtype> precision_of(const Recipe& recipe) {
  if (recipe.precision == "bf16") return Dtype::bf16;
  if (recipe.precision == "f16") return Dtype::f16;
  return {};
}

}  // namespace

Experiment::Experiment(const Recipe& recipe)
    : recipe_(recipe), task_(open_task(recipe_)), network_([this] {
        manual_seed(static_cast<uint64_t>(recipe_.seed));
        return make_network(recipe_, task_.problem);
      }()) {
  loader_ =
      std::make_unique<data::Loader>(task_.train,
                                     data::BatchOptions{.batch_size = recipe_.batch_size,
                                                        .drop_last = recipe_.drop_last,
                                                        .seed = static_cast<uint64_t>(recipe_.seed),
                                                        .transforms = augmentation(recipe_, task_.problem)},
                                     data::WorkerOptions{.workers = static_cast<int>(recipe_.workers)});
  if (nn::parameters(network_).empty())
    throw ValueError("model", "has nothing to learn; expected a layer with weights");
  optimiser_ = make_optimiser(network_, recipe_);
  const int64_t by_epoch = (loader_->size() + recipe_.accumulate - 1) / recipe_.accumulate;
  scheduler_ =
      make_scheduler(*optimiser_, recipe_, recipe_.steps > 0 ? recipe_.steps : recipe_.epochs * by_epoch);
  if (recipe_.average > 0)
    average_ =
        std::make_unique<optim::WeightAverage>(network_, optim::AverageOptions{.decay = recipe_.average});
}

Tensor Experiment::loss(const data::Examples& batch) {
  Tensor loss = loss_of(network_(batch.inputs), batch.labels, task_.problem, recipe_.label_smoothing);
  if (recipe_.l1 > 0) loss = loss + optim::l1("*.weight", recipe_.l1)(network_);
  if (recipe_.l2 > 0) loss = loss + optim::l2("*.weight", recipe_.l2)(network_);
  return loss;
}

void Experiment::step() {
  std::optional<data::Examples> batch = loader_->next();
  while (!batch) batch = loader_->next();  // the border between two epochs
  optimiser_->zero_grad();
  Tensor loss_value;
  {
    const Autocast autocast(precision_of(recipe_));
    loss_value = loss(*batch);
  }
  backward(loss_value);
  optimiser_->step();
}

training::TrainerOptions Experiment::trainer_options() const {
  training::TrainerOptions options;
  if (recipe_.steps > 0)
    options.steps = recipe_.steps;
  else
    options.epochs = recipe_.epochs;
  options.accumulate = recipe_.accumulate;
  options.clip_norm = recipe_.clip_norm;
  options.precision = precision_of(recipe_);
  options.evaluate_every = recipe_.evaluate_every;
  options.log_every = recipe_.log_every;
  options.metric = decisive_metric(task_.problem);
  options.maximise = more_is_better(task_.problem);
  if (recipe_.patience > 0) options.patience = recipe_.patience;
  options.checkpoint_every = recipe_.checkpoint_every;
  options.keep_last = recipe_.keep_last;
  options.keep_best = recipe_.keep_best;
  options.notes = notes(recipe_, task_.problem);
  return options;
}

training::TrainingSummary Experiment::run(const training::TrainerOptions& options) {
  training::Trainer trainer(network_, *optimiser_, *loader_,
                            [this](const data::Examples& batch) { return loss(batch); });
  trainer.with(*scheduler_).evaluate([this] {
    return evaluate(network_, recipe_, task_.problem, task_.test);
  });
  if (average_) trainer.with(*average_);
  return trainer.run(options);
}

int64_t evaluation_batch(const Problem& problem) {
  constexpr int64_t kExamples = 256, kTokens = 1 << 14;  // beyond, nothing gets faster and memory is taken
  return problem.kind == Kind::text ? std::max<int64_t>(1, kTokens / problem.input[0]) : kExamples;
}

std::string decisive_metric(const Problem& problem) {
  return problem.kind == Kind::classes ? "accuracy" : "test_loss";
}

bool more_is_better(const Problem& problem) {
  return problem.kind == Kind::classes;
}

std::vector<io::Metric> evaluate(const nn::AnyLayer& network, const Recipe& recipe, const Problem& problem,
                                 const data::DataSet& set) {
  const NoGrad no_grad;
  data::Loader loader(set, {.batch_size = evaluation_batch(problem),
                            .shuffle = false,
                            .transforms = preparation(recipe, problem)});
  training::RunningMean loss;
  training::TopKAccuracy right(1);
  for (const data::Examples& batch : loader) {
    const Tensor outputs = network(batch.inputs);
    loss.add(loss_of(outputs, batch.labels, problem, 0).item(), batch.labels.numel());
    if (problem.kind == Kind::classes) right.add(outputs, batch.labels);
  }
  if (problem.kind == Kind::classes) return {{"accuracy", right.accuracy()}, {"test_loss", loss.mean()}};
  if (problem.kind == Kind::text) return {{"test_loss", loss.mean()}, {"perplexity", loss.perplexity()}};
  return {{"test_loss", loss.mean()}};
}

}  // namespace espalier::cli
