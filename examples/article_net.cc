// The article's network, three convolutions for ten classes of 3-channel images, with biases (PrunedNet) and
// without (QuantizedNet): its tables of parameters, and a few steps of training on random images, whose loss
// falls as the net learns them by heart.
//
//   build/release/examples/article_net

#include <cstdio>
#include <iostream>

#include <espalier/espalier.h>

using namespace espalier;

int main() {
  manual_seed(1);
  const Tensor images = normal({16, 3, 32, 32});
  const Tensor labels = random_integers({16}, 0, 10);
  for (const bool bias : {true, false}) {
    models::SeedNet net({.bias = bias});
    std::cout << (bias ? "\nWith biases\n" : "\nWithout biases\n") << nn::summary(net);
    optim::Sgd sgd(net, {.learning_rate = 0.05, .momentum = 0.9});
    for (int step = 1; step <= 10; ++step) {
      const Tensor loss = cross_entropy(net(images), labels);
      sgd.zero_grad();
      backward(loss);
      sgd.step();
      if (step == 1 || step % 5 == 0) std::printf("step %2d  loss %.4f\n", step, loss.item());
    }
  }
}
