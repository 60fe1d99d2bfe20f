// A residual network of depth 8 (He et al. 2015) on the digits, shown as images of 3 channels and 16 x 16
// pixels: training, its summary, and accuracy.
//
//   build/release/examples/resnet_digits

#include <cstdio>
#include <iostream>

#include <espalier/espalier.h>

#include "examples/digits/training.h"

using namespace espalier;

/// Each pixel becomes 2 x 2, the same in all three channels.
data::Examples enlarged(const data::Examples& examples) {
  const int64_t n = examples.size();
  const Tensor wide = expand(reshape(examples.inputs, {n, 1, 8, 1, 8, 1}), {n, 3, 8, 2, 8, 2});
  return {reshape(wide, {n, 3, 16, 16}), examples.labels};
}

int main() {
  manual_seed(1);
  const data::Split small = data::digits();
  const data::Split data{enlarged(small.train), enlarged(small.test)};
  models::ResNetCifar net(1);
  std::cout << nn::summary(net);
  const digits::Record record = digits::fit_with_progress(net, data, {.epochs = 8});
  std::printf("%.2f %% of the test digits are right\n", 100 * record.accuracies.back());
}
