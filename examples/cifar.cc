// Small colour images of ten classes: CIFAR-10, read by the article's net of three convolutions or by a
// ResNet of 20 or 56 layers (He et al. 2015). A short recipe: one cycle to a rate of 0.4 (Smith and Topin,
// "Super- convergence", 2017), images shifted by up to 4 pixels and mirrored by chance, once for each batch.
// ResNet-20 reads about 83 % of the test images right after 10 epochs.
//
//   scripts/get-data cifar10 data/cifar10
//   build/release/examples/cifar data/cifar10 resnet20 [EPOCHS [SEED [PAGE.html]]]       or article, resnet56

#include <iostream>
#include <string>

#include <espalier/espalier.h>

using namespace espalier;

const std::vector<std::string> kClasses = {"airplane", "automobile", "bird",  "cat",  "deer",
                                           "dog",      "frog",       "horse", "ship", "truck"};

/// Pixels with mean 0 and deviation 1 in each channel of the training images.
data::Transform standardise() {
  return data::normalise({0.4914, 0.4822, 0.4465}, {0.2470, 0.2435, 0.2616});
}

struct Recipe {
  std::string name;
  int64_t epochs = 10;
  uint64_t seed = 0;
  std::string page = {};
};

template <class Net>
training::ConfusionMatrix read_all(const Net& net, const data::DataSet& images) {
  training::ConfusionMatrix matrix(10);
  data::Loader loader(images, {.batch_size = 500, .shuffle = false, .transforms = {standardise()}});
  for (const data::Examples& batch : loader) matrix.add(net(batch.inputs), batch.labels);
  return matrix;
}

template <class Net>
void train(Net net, const data::Split& cifar, const Recipe& recipe) {
  for (auto& [name, weight] : nn::named_parameters(net)) {
    if (weight.rank() == 4) nn::kaiming_normal_(weight);
  }
  data::Loader loader(cifar.train,
                      {.batch_size = 128,
                       .drop_last = true,
                       .seed = recipe.seed,
                       .transforms = {standardise(), data::random_crop(4, data::Per::batch),
                                      data::random_flip(0.5, data::Per::batch)}},
                      {.workers = 1});
  optim::Sgd sgd(net, {.learning_rate = 0.4, .momentum = 0.9, .weight_decay = 5e-4, .nesterov = true});
  const optim::OneCycle cycle = optim::one_cycle({.steps = recipe.epochs * loader.size()});
  optim::Scheduler scheduler(sgd, cycle.rate, cycle.momentum);
  training::Trainer trainer(net, sgd, loader, [&](const data::Examples& batch) {
    return cross_entropy(net(batch.inputs), batch.labels);
  });
  trainer.with(scheduler).evaluate(
      [&] { return std::vector<io::Metric>{{"accuracy", read_all(net, cifar.test).accuracy()}}; });
  const training::TrainingSummary summary = trainer.run({.epochs = recipe.epochs});
  std::cout << summary;
  if (recipe.page.empty()) return;

  nn::eval(net);
  const NoGrad no_grad;
  report::Page page = training::training_page("CIFAR-10: " + recipe.name, summary,
                                              {{"network", recipe.name},
                                               {"epochs", std::to_string(recipe.epochs)},
                                               {"batch size", "128"},
                                               {"rate", "one cycle to 0.4"},
                                               {"weight decay", "0.0005"},
                                               {"seed", std::to_string(recipe.seed)}});
  page.heading("Mistakes");
  page.figure(report::confusion_matrix(read_all(net, cifar.test).counts(), kClasses, "Test images"));
  training::add_mistakes(page, cifar.test, kClasses, [&](const data::Examples& batch) {
    data::RandomStream unused(0, 0, 0);
    return net(standardise()(batch, unused).inputs);
  });
  page.save(recipe.page);
}

int main(int argc, char** argv) try {
  if (argc < 3) {
    std::cerr << "usage: cifar FOLDER article|resnet20|resnet56 [EPOCHS [SEED [PAGE.html]]]\n";
    return 2;
  }
  Recipe recipe{argv[2]};
  if (argc > 3) recipe.epochs = std::stoll(argv[3]);
  if (argc > 4) recipe.seed = std::stoull(argv[4]);
  if (argc > 5) recipe.page = argv[5];
  const data::Split cifar = data::cifar10(argv[1]);
  manual_seed(recipe.seed);
  if (recipe.name == "article")
    train(models::SeedNet(), cifar, recipe);
  else if (recipe.name == "resnet20")
    train(models::ResNetCifar(3), cifar, recipe);
  else if (recipe.name == "resnet56")
    train(models::ResNetCifar(9), cifar, recipe);
  else
    throw ValueError("cifar", "no network '" + recipe.name + "'; there are article, resnet20 and resnet56");
} catch (const std::exception& error) {
  std::cerr << error.what() << '\n';
  return 1;
}
