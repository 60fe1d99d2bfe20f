#include "models/seed_net.h"

#include "ops/mean.h"
#include "ops/relu.h"

namespace espalier::models {

SeedNet::SeedNet(const SeedNetOptions& options)
    : conv1(options.channels, 64, 3, {.padding = 1}, options.bias),
      conv2(64, 128, 3, {.padding = 1}, options.bias),
      conv3(128, 256, 3, {.padding = 1}, options.bias),
      fc1(256, options.classes, options.bias) {}

Tensor SeedNet::operator()(const Tensor& images) const {
  const Tensor features = relu(conv3(relu(conv2(relu(conv1(images))))));
  return fc1(mean(features, {2, 3}));
}

void SeedNet::visit(nn::Visitor& visitor) {
  visitor("conv1", conv1);
  visitor("conv2", conv2);
  visitor("conv3", conv3);
  visitor("fc1", fc1);
}

}  // namespace espalier::models
