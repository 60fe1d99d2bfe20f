#pragma once

#include <cmath>
#include <functional>
#include <numbers>
#include <string>
#include <vector>

#include <espalier/espalier.h>

namespace digits {

struct Recipe {
  int epochs;
  int64_t batch = 32;
  double learning_rate = 2e-3;
  double weight_decay = 1e-2;
  int warm_up = 50;  ///< steps over which the learning rate rises; then it falls to zero along a cosine
};

/// What a training run leaves behind.
struct Record {
  std::vector<double> losses;      ///< mean training loss of each epoch
  std::vector<double> accuracies;  ///< on the test set after each epoch, from 0 to 1
};

/// The class that each row of logits favours.
template <class Net>
std::vector<int64_t> predict(Net& net, const espalier::Tensor& images) {
  const espalier::NoGrad no_grad;
  espalier::nn::eval(net);
  return espalier::argmax(net(images), 1).template to_vector<int64_t>();
}

template <class Net>
double accuracy(Net& net, const espalier::data::Examples& examples) {
  const std::vector<int64_t> labels = examples.labels.to_vector<int64_t>(),
                             predicted = predict(net, examples.inputs);
  int64_t right = 0;
  for (size_t i = 0; i < labels.size(); ++i) right += labels[i] == predicted[i];
  return static_cast<double>(right) / static_cast<double>(labels.size());
}

/// Trains with AdamW. `progress(step, steps, note)` is called after each step.
template <class Net>
Record fit(Net& net, const espalier::data::Split& digits, const Recipe& recipe, uint64_t seed,
           const std::function<void(int64_t, int64_t, const std::string&)>& progress) {
  using namespace espalier;
  optim::AdamW adamw(net, {.learning_rate = recipe.learning_rate, .weight_decay = recipe.weight_decay});
  Record record;
  int64_t step = 0;
  data::Loader loader(digits.train, {.batch_size = recipe.batch, .seed = seed});
  const int64_t steps = recipe.epochs * loader.size();
  while (loader.epoch() < recipe.epochs) {
    nn::train(net);
    double total = 0;
    for (const data::Examples& batch : loader) {
      const double warm = std::min(1.0, static_cast<double>(step + 1) / recipe.warm_up);
      const double fall =
          0.5 * (1 + std::cos(std::numbers::pi * static_cast<double>(step) / static_cast<double>(steps)));
      adamw.set_learning_rate(recipe.learning_rate * warm * fall);
      const Tensor loss = cross_entropy(net(batch.inputs), batch.labels);
      adamw.zero_grad();
      backward(loss);
      adamw.step();
      total += loss.item();
      progress(++step, steps, "loss " + report::fixed(loss.item(), 3));
    }
    record.losses.push_back(total / static_cast<double>(loader.size()));
    record.accuracies.push_back(accuracy(net, digits.test));
  }
  return record;
}

/// The same with a progress bar.
template <class Net>
Record fit_with_progress(Net& net, const espalier::data::Split& digits, const Recipe& recipe,
                         uint64_t seed = 1) {
  const int64_t rows = digits.train.size(),
                steps = recipe.epochs * ((rows + recipe.batch - 1) / recipe.batch);
  espalier::report::Progress progress("training", steps);
  return fit(net, digits, recipe, seed,
             [&](int64_t step, int64_t, const std::string& note) { progress.update(step, note); });
}

}  // namespace digits
