#pragma once

#include <filesystem>
#include <functional>
#include <utility>

#include "data/digits.h"
#include "nn/dropout.h"
#include "nn/linear.h"
#include "nn/sequential.h"
#include "ops/cross_entropy.h"
#include "ops/relu.h"
#include "ops/reshape.h"
#include "optim/adam.h"
#include "train/classification.h"
#include "train/trainer.h"

namespace espalier::training {

/// All that a run can have: dropout, momentum, a schedule, an average, accumulation.
struct DigitsRun {
  explicit DigitsRun(std::function<void()> before_batch = {}) : before(std::move(before_batch)) {
    trainer.with(scheduler).with(average).evaluate([this] {
      ConfusionMatrix matrix(10);
      const data::Split digits = data::digits();
      matrix.add(net(flatten(digits.test.inputs, 1)), digits.test.labels);
      return std::vector<io::Metric>{{"accuracy", matrix.accuracy()}};
    });
  }
  static nn::Sequential make() {
    manual_seed(3);
    return nn::Sequential(nn::Linear(64, 32), relu, nn::Dropout(0.3), nn::Linear(32, 10));
  }
  std::function<void()> before;
  nn::Sequential net = make();
  optim::AdamW adamw{net, {.learning_rate = 1e-2}};
  data::Loader loader{data::digits().train, {.batch_size = 32, .seed = 5}, {.workers = 1}};
  optim::Scheduler scheduler{adamw, optim::cosine(69)};
  optim::WeightAverage average{net, {.decay = 0.9}};
  Trainer trainer{net, adamw, loader, [this](const data::Examples& batch) {
                    if (before) before();
                    return cross_entropy(net(flatten(batch.inputs, 1)), batch.labels);
                  }};
};

inline TrainerOptions digits_options(const std::filesystem::path& folder) {
  return {.epochs = 3,
          .accumulate = 2,
          .clip_norm = 1,
          .log_every = 4,
          .metric = "accuracy",
          .maximise = true,
          .patience = 10,
          .folder = folder,
          .checkpoint_every = 5,
          .tensorboard = !folder.empty(),
          .progress = false};
}

constexpr int64_t kCheckpointEvery = 2;

/// 230 steps, which may begin anywhere, with 115 checkpoints.
inline TrainerOptions long_digits_options(const std::filesystem::path& folder) {
  TrainerOptions options = digits_options(folder);
  options.epochs = 10;
  options.patience = {};
  options.checkpoint_every = kCheckpointEvery;
  options.resume = true;
  return options;
}

}  // namespace espalier::training
