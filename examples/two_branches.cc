// The article's two ways to spread a network, on one device: net1(x) + net2(x), whose branches may live on
// different devices, and a wrapper that runs a network on parts of the batch. Both compute what they should,
// which is checked.
//
//   build/release/examples/two_branches

#include <cstdio>

#include <espalier/espalier.h>

using namespace espalier;

int main() {
  manual_seed(1);
  const Tensor images = normal({16, 3, 16, 16}), labels = random_integers({16}, 0, 10);

  models::TwoBranchNet<models::SeedNet> branches{models::SeedNet(), models::SeedNet()};
  optim::Sgd sgd(branches, {.learning_rate = 0.05, .momentum = 0.9});
  for (int step = 1; step <= 10; ++step) {
    const Tensor loss = cross_entropy(branches(images), labels);
    sgd.zero_grad();
    backward(loss);
    sgd.step();
    if (step == 1 || step == 10) std::printf("two branches: step %2d  loss %.4f\n", step, loss.item());
  }

  models::SeedNet whole;
  const models::DataParallelNet<models::SeedNet> parts{whole, 3};
  const NoGrad no_grad;
  const double difference = max(abs(parts(images) - whole(images))).item();
  std::printf("in 3 parts of the batch: the largest difference from the whole is %.1e\n", difference);
}
