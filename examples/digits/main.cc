// Trains a convolutional network and an MLP on the embedded handwritten digits, shows how they learned and
// where they err, saves the better one, loads it again and answers in real time.
//
//   build/release/examples/digits [--seeds 3] [--save digits.safetensors]

#include <algorithm>
#include <chrono>
#include <cstring>
#include <iostream>
#include <numeric>

#include <unistd.h>

#include "examples/digits/nets.h"
#include "examples/digits/training.h"

using namespace espalier;

namespace {

struct Options {
  int seeds = 3;
  std::string save = "digits.safetensors";
};

Options parse(int argc, char** argv) {
  Options options;
  for (int i = 1; i < argc; ++i) {
    const std::string name = argv[i];
    if (i + 1 == argc)
      throw ValueError("digits", "option " + name + " needs a value (options: --seeds N, --save FILE)");
    const std::string value = argv[++i];
    if (name == "--save") {
      options.save = value;
    } else if (name == "--seeds" && value.size() < 4 && std::atoi(value.c_str()) > 0) {
      options.seeds = std::atoi(value.c_str());
    } else {
      throw ValueError("digits", "cannot use " + name + " " + value + " (options: --seeds N, --save FILE)");
    }
  }
  return options;
}

/// The nets of all seeds, and what became of them.
template <class Net>
struct Trained {
  std::vector<Net> nets;
  std::vector<digits::Record> records;

  double mean_accuracy() const {
    double total = 0;
    for (const digits::Record& record : records) total += record.accuracies.back();
    return total / static_cast<double>(records.size());
  }
};

template <class Net>
Trained<Net> train_seeds(const std::string& name, const data::Split& split, const digits::Recipe& recipe,
                         int seeds) {
  Trained<Net> trained;
  report::Progress progress("Training " + name, 1000);
  for (int seed = 0; seed < seeds; ++seed) {
    manual_seed(static_cast<uint64_t>(seed));
    Net& net = trained.nets.emplace_back();
    trained.records.push_back(digits::fit(net, split, recipe, static_cast<uint64_t>(seed),
                                          [&](int64_t step, int64_t steps, const std::string& note) {
                                            progress.update(1000 * (seed * steps + step) / (seeds * steps),
                                                            "seed " + std::to_string(seed) + ", " + note);
                                          }));
  }
  return trained;
}

template <class Net>
std::vector<std::string> row_of(const std::string& name, Trained<Net>& trained) {
  int64_t parameters = 0;
  for (const Tensor& parameter : nn::parameters(trained.nets[0])) parameters += parameter.numel();
  std::string each;
  for (const digits::Record& record : trained.records)
    each += (each.empty() ? "" : ", ") + report::fixed(100 * record.accuracies.back(), 1);
  return {name, std::to_string(parameters), each, report::fixed(100 * trained.mean_accuracy(), 2)};
}

void show_curves(const digits::Record& record) {
  std::cout << "\nTraining loss by epoch\n";
  const report::Curve loss{"loss", record.losses};
  report::plot_curves(std::cout, std::span(&loss, 1), 56, 8);
  std::cout << "\nTest accuracy by epoch\n";
  const report::Curve accuracy{"accuracy", record.accuracies};
  report::plot_curves(std::cout, std::span(&accuracy, 1), 56, 8);
}

void show_confusion(const std::vector<int64_t>& labels, const std::vector<int64_t>& predicted) {
  std::vector<std::vector<int>> counts(10, std::vector<int>(10));
  for (size_t i = 0; i < labels.size(); ++i)
    ++counts[static_cast<size_t>(labels[i])][static_cast<size_t>(predicted[i])];
  std::vector<std::string> header = {"is \\ taken for"};
  for (int digit = 0; digit < 10; ++digit) header.push_back(std::to_string(digit));
  report::Table table(header);
  for (size_t digit = 0; digit < 10; ++digit) {
    std::vector<std::string> row = {std::to_string(digit)};
    for (const int count : counts[digit]) row.push_back(count == 0 ? "·" : std::to_string(count));
    table.add_row(row);
  }
  std::cout << "\nConfusion on the test set\n" << table;
}

void show_mistakes(const data::Examples& test, const std::vector<int64_t>& labels,
                   const std::vector<int64_t>& predicted) {
  constexpr size_t kShown = 6;
  std::vector<int64_t> wrong;
  std::vector<std::string> captions;
  for (size_t i = 0; i < labels.size() && wrong.size() < kShown; ++i) {
    if (labels[i] == predicted[i]) continue;
    wrong.push_back(static_cast<int64_t>(i));
    captions.push_back(std::to_string(labels[i]) + " taken for " + std::to_string(predicted[i]));
  }
  if (wrong.empty()) {
    std::cout << "\nIt got every digit of the test set right.\n";
    return;
  }
  std::cout << "\nDigits it got wrong\n";
  report::print_images(std::cout, data::take_rows(test.inputs, wrong), captions,
                       ::isatty(STDOUT_FILENO) == 1);
}

/// Answers the test images one by one; prints how long an answer takes.
void show_latency(const digits::ConvNet& net, const data::Examples& test) {
  using Clock = std::chrono::steady_clock;
  const NoGrad no_grad;
  const ThreadCountGuard one_thread(1);  // one small image is not worth waking a second thread
  std::vector<double> micros;
  for (int round = 0; round < 4; ++round) {
    for (int64_t i = 0; i < test.size(); ++i) {
      const Tensor image = slice(test.inputs, 0, {i, i + 1});
      const Clock::time_point start = Clock::now();
      argmax(net(image), 1).item();
      if (round > 0)
        micros.push_back(std::chrono::duration<double, std::micro>(Clock::now() - start)
                             .count());  // the first one warms up
    }
  }
  std::sort(micros.begin(), micros.end());
  std::cout << "One image at a time, one thread: median " << report::fixed(micros[micros.size() / 2], 0)
            << " us, 99th percentile " << report::fixed(micros[micros.size() * 99 / 100], 0) << " us ("
            << micros.size() << " answers)\n";
}

void run(const Options& options) {
  const data::Split split = data::digits();
  std::cout << "Handwritten digits, 8 x 8 pixels: " << split.train.size() << " to learn from, "
            << split.test.size() << " to test.\n";
  Trained<digits::ConvNet> conv =
      train_seeds<digits::ConvNet>("the convolutional network", split, {.epochs = 15}, options.seeds);
  Trained<digits::MlpNet> mlp = train_seeds<digits::MlpNet>("the MLP", split, {.epochs = 25}, options.seeds);

  report::Table table({"network", "parameters", "test accuracy by seed, %", "mean, %"});
  table.add_row(row_of("convolutional", conv));
  table.add_row(row_of("MLP 64-256-128-10", mlp));
  std::cout << '\n' << table;

  digits::ConvNet& best = conv.nets[0];
  const std::vector<int64_t> labels = split.test.labels.to_vector<int64_t>(),
                             predicted = digits::predict(best, split.test.inputs);
  std::cout << "\nThe convolutional network of seed 0:\n";
  show_curves(conv.records[0]);
  show_confusion(labels, predicted);
  show_mistakes(split.test, labels, predicted);

  io::save_safetensors(options.save, nn::state(best), {{"model", "digits::ConvNet"}});
  digits::ConvNet loaded;
  nn::load_state(loaded, io::load_safetensors(options.save).tensors);
  const bool same = digits::predict(loaded, split.test.inputs) == predicted;
  std::cout << "\nSaved to " << options.save
            << " and loaded again: " << (same ? "gives the same answers.\n" : "GIVES OTHER ANSWERS.\n");
  show_latency(loaded, split.test);
}

}  // namespace

int main(int argc, char** argv) {
  try {
    run(parse(argc, argv));
  } catch (const std::exception& error) {
    std::cerr << error.what() << '\n';
    return 1;
  }
}
