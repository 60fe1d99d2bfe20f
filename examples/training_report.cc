// A training run that writes a page about itself: curves of loss and accuracy, the learning rate, gradient
// norms, where the time went, which digits are confused, and those that were read wrong, with the recipe.
//
//   build/release/examples/training_report [report.html]

#include <chrono>
#include <cstdio>
#include <string>
#include <vector>

#include <espalier/espalier.h>

using namespace espalier;
using report::fixed;

constexpr uint64_t kSeed = 1;
constexpr int64_t kEpochs = 20, kBatch = 32;
constexpr double kRate = 3e-3;

/// Seconds that parts of the training took, added up.
struct Stopwatch {
  using Clock = std::chrono::steady_clock;
  void end_of(report::Bar& part) {
    const Clock::time_point now = Clock::now();
    part.value += std::chrono::duration<double>(now - last).count();
    last = now;
  }
  Clock::time_point last = Clock::now();
};

struct Score {
  double loss = 0, accuracy = 0;
};

Score score(const nn::Sequential& net, const data::Examples& examples) {
  const NoGrad no_grad;
  const Tensor logits = net(flatten(examples.inputs, 1));
  const Tensor right = equal(argmax(logits, 1), examples.labels);
  return {cross_entropy(logits, examples.labels).item(), mean(cast(right, Dtype::f32)).item()};
}

int main(int argc, char** argv) {
  const std::string path = argc > 1 ? argv[1] : "report.html";
  manual_seed(kSeed);
  const data::Split digits = data::digits();
  nn::Sequential net(nn::Linear(64, 128), relu, nn::Dropout(0.2), nn::Linear(128, 10));
  optim::AdamW adamw(net, {.learning_rate = kRate});
  data::Loader loader(digits.train, {.batch_size = kBatch, .seed = kSeed});
  const int64_t steps = kEpochs * loader.size();
  const optim::Schedule schedule = optim::warm_up(50) * optim::cosine(steps);
  optim::Scheduler scheduler(adamw, schedule);

  report::Series train_loss{"training", {}}, test_loss{"test", {}}, train_right{"training", {}},
      test_right{"test", {}}, batch_loss{"loss", {}}, rate{"rate", {}}, norms{"norm", {}};
  std::vector<report::Bar> parts = {{"data"}, {"forward"}, {"backward"}, {"update"}, {"evaluation"}};
  Stopwatch watch;
  while (loader.epoch() < kEpochs) {
    nn::train(net);
    for (const data::Examples& batch : loader) {
      watch.end_of(parts[0]);
      const Tensor loss = cross_entropy(net(flatten(batch.inputs, 1)), batch.labels);
      watch.end_of(parts[1]);
      adamw.zero_grad();
      backward(loss);
      watch.end_of(parts[2]);
      rate.y.push_back(schedule.rate(scheduler.steps(), kRate));
      norms.y.push_back(optim::clip_grad_norm(nn::parameters(net), 5).item());
      adamw.step();
      scheduler.step();
      watch.end_of(parts[3]);
      batch_loss.y.push_back(loss.item());
    }
    nn::eval(net);
    const Score train = score(net, digits.train), test = score(net, digits.test);
    train_loss.y.push_back(train.loss);
    test_loss.y.push_back(test.loss);
    train_right.y.push_back(100 * train.accuracy);
    test_right.y.push_back(100 * test.accuracy);
    for (report::Series* one : {&train_loss, &test_loss, &train_right, &test_right})
      one->x.push_back(static_cast<double>(loader.epoch()));
    watch.end_of(parts[4]);
  }

  const NoGrad no_grad;
  const Tensor probabilities = softmax(net(flatten(digits.test.inputs, 1)), 1);
  const std::vector<int64_t> found = argmax(probabilities, 1).to_vector<int64_t>(),
                             labels = digits.test.labels.to_vector<int64_t>();
  const std::vector<float> confidence = max(probabilities, {1}).to_vector<float>();
  std::vector<int64_t> counts(100), wrong;
  std::vector<std::string> captions, names;
  for (int digit = 0; digit < 10; ++digit) names.push_back(std::to_string(digit));
  for (size_t i = 0; i < labels.size(); ++i) {
    ++counts[static_cast<size_t>(10 * labels[i] + found[i])];
    if (found[i] == labels[i]) continue;
    wrong.push_back(static_cast<int64_t>(i));
    captions.push_back(names[static_cast<size_t>(labels[i])] + " read as " +
                       names[static_cast<size_t>(found[i])] + ", " + fixed(100 * confidence[i], 0) + " %");
  }

  report::Page page("Handwritten digits: an MLP, seed " + std::to_string(kSeed));
  const std::string right = std::to_string(labels.size() - wrong.size()), all = std::to_string(labels.size());
  page.paragraph("Trained on " + std::to_string(digits.train.size()) + " images; " + right + " of " + all +
                 " test images are read right. The epoch shown is the last: none was chosen by its result.");
  page.key_values({{"test accuracy", fixed(test_right.y.back(), 2) + " %"},
                   {"test loss", fixed(test_loss.y.back(), 4)},
                   {"training accuracy", fixed(train_right.y.back(), 2) + " %"},
                   {"training loss", fixed(train_loss.y.back(), 4)},
                   {"network", "64-128-10, dropout 0.2"},
                   {"optimiser", "AdamW"},
                   {"learning rate", "0.003, 50 steps of warm-up, cosine"},
                   {"batch size", std::to_string(kBatch)},
                   {"epochs", std::to_string(kEpochs)},
                   {"seed", std::to_string(kSeed)}});
  page.heading("Training");
  page.figure(report::line_chart(
      std::vector{train_loss, test_loss},
      {.title = "Loss", .x_label = "epoch", .y_label = "cross-entropy", .y_scale = report::Scale::log}));
  page.figure(report::line_chart(std::vector{train_right, test_right},
                                 {.title = "Accuracy", .x_label = "epoch", .y_label = "% right"}));
  page.figure(report::line_chart(std::vector{rate}, {.title = "Learning rate", .x_label = "step"}));
  page.figure(
      report::line_chart(std::vector{norms},
                         {.title = "Gradient norm", .x_label = "step", .y_scale = report::Scale::log}),
      "Before clipping to 5.");
  page.figure(
      report::line_chart(std::vector{batch_loss},
                         {.title = "Loss of each batch", .x_label = "step", .y_scale = report::Scale::log}));
  for (report::Bar& part : parts) part.text = fixed(1000 * part.value, 0) + " ms";
  page.figure(report::bar_chart(parts, {.title = "Time"}));
  page.heading("Mistakes");
  page.figure(report::confusion_matrix(from_values(counts, {10, 10}), names, "Test images"));
  page.figure(report::histogram(std::vector<double>(confidence.begin(), confidence.end()),
                                {.title = "Confidence", .x_label = "probability of the answer"}));
  if (!wrong.empty())
    page.images(index_select(digits.test.inputs, 0, from_values(wrong, {static_cast<int64_t>(wrong.size())})),
                captions);
  page.save(path);
  std::printf("%s of %s test digits are right; see %s\n", right.c_str(), all.c_str(), path.c_str());
}
