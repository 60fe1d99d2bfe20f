// Handwritten digits as everybody knows them: MNIST, 60,000 images to learn from and 10,000 to test, read by
// the MLP 784-800-800-10 (the baseline of Hinton, Vinyals and Dean 2015: 146 errors) or by LeNet-5 as Caffe
// and Han et al. (2015) have it, 20 and 50 channels: 80 errors. Plain training: no dropout, no changed
// images.
//
//   scripts/get-data mnist data/mnist
//   build/release/examples/mnist data/mnist mlp          three seeds and their mean
//   build/release/examples/mnist data/mnist lenet5 1     one seed
//   build/release/examples/mnist data/mnist lenet5 1 mnist.html       ... and a page about the (last) run

#include <cstdio>
#include <cstdlib>
#include <iostream>
#include <string>
#include <string_view>
#include <vector>

#include <espalier/espalier.h>

using namespace espalier;

constexpr double kMean = 0.1307, kDeviation = 0.3081;  // of the training images' pixels, from 0 to 1

nn::Sequential make_net(std::string_view name) {
  if (name == "mlp") {
    return nn::Sequential(nn::Flatten(), nn::Linear(784, 800), relu, nn::Linear(800, 800), relu,
                          nn::Linear(800, 10));
  }
  if (name == "lenet5") {
    return nn::Sequential(nn::Conv2d(1, 20, 5), nn::MaxPool2d(2), nn::Conv2d(20, 50, 5), nn::MaxPool2d(2),
                          nn::Flatten(), nn::Linear(800, 500), relu, nn::Linear(500, 10));
  }
  throw ValueError("mnist", "no network '" + std::string(name) + "'; there are mlp and lenet5");
}

training::ConfusionMatrix read_all(const nn::Sequential& net, const data::DataSet& test) {
  training::ConfusionMatrix matrix(10);
  data::Loader loader(
      test, {.batch_size = 500, .shuffle = false, .transforms = {data::normalise({kMean}, {kDeviation})}});
  for (const data::Examples& batch : loader) matrix.add(net(batch.inputs), batch.labels);
  return matrix;
}

/// The test images that `net` reads wrong.
int64_t errors(const nn::Sequential& net, const data::DataSet& test) {
  const training::ConfusionMatrix matrix = read_all(net, test);
  return std::lround((1 - matrix.accuracy()) * static_cast<double>(matrix.total()));
}

const std::vector<std::string> kDigits = {"0", "1", "2", "3", "4", "5", "6", "7", "8", "9"};

void write_page(const std::string& path, const nn::Sequential& net, const data::DataSet& test,
                const std::string& name, uint64_t seed, const training::TrainingSummary& summary) {
  const NoGrad no_grad;
  report::Page page = training::training_page("MNIST: " + name, summary,
                                              {{"network", name},
                                               {"batch size", "128"},
                                               {"weight decay", "0.0005"},
                                               {"rate", "200 steps of warm-up, cosine"},
                                               {"seed", std::to_string(seed)}});
  page.heading("Mistakes");
  page.figure(report::confusion_matrix(read_all(net, test).counts(), kDigits, "Test images"));
  training::add_mistakes(page, test, kDigits, [&](const data::Examples& batch) {
    data::RandomStream unused(0, 0, 0);
    return net(data::normalise({kMean}, {kDeviation})(batch, unused).inputs);
  });
  page.save(path);
}

int64_t train(const data::Split& mnist, const std::string& name, uint64_t seed, const std::string& page) {
  constexpr int64_t kEpochs = 10;
  manual_seed(seed);
  nn::Sequential net = make_net(name);
  data::Loader loader(
      mnist.train, {.batch_size = 128, .seed = seed, .transforms = {data::normalise({kMean}, {kDeviation})}});
  optim::Sgd sgd(
      net,
      {.learning_rate = name == "mlp" ? 0.1 : 0.03, .momentum = 0.9, .weight_decay = 5e-4, .nesterov = true});
  optim::Scheduler scheduler(sgd, optim::warm_up(200) * optim::cosine(kEpochs * loader.size()));
  training::Trainer trainer(net, sgd, loader, [&](const data::Examples& batch) {
    return cross_entropy(net(batch.inputs), batch.labels);
  });
  trainer.with(scheduler).evaluate(
      [&] { return std::vector<io::Metric>{{"errors", static_cast<double>(errors(net, mnist.test))}}; });
  const training::TrainingSummary summary = trainer.run({.epochs = kEpochs});
  std::cout << "seed " << seed << ": " << summary.evaluation[0].value << " errors in "
            << report::format_duration(summary.seconds) << '\n';
  if (!page.empty()) {
    nn::eval(net);
    write_page(page, net, mnist.test, name, seed, summary);
  }
  return static_cast<int64_t>(summary.evaluation[0].value);
}

int main(int argc, char** argv) {
  if (argc < 3) {
    std::fprintf(stderr, "usage: mnist FOLDER mlp|lenet5 [SEEDS [PAGE.html]]\n");
    return 2;
  }
  try {
    const data::Split mnist = data::mnist(argv[1]);
    const int seeds = argc > 3 ? std::atoi(argv[3]) : 3;
    if (seeds < 1) throw ValueError("mnist", "seeds '" + std::string(argv[3]) + "'; expected 1 or more");
    double total = 0;
    for (int seed = 1; seed <= seeds; ++seed)
      total +=
          static_cast<double>(train(mnist, argv[2], static_cast<uint64_t>(seed), argc > 4 ? argv[4] : ""));
    std::printf("mean of %d seeds: %.1f errors in %lld images\n", seeds, total / seeds,
                static_cast<long long>(mnist.test.size()));
  } catch (const Error& error) {
    std::cerr << error.what() << '\n';
    return 1;
  }
}
