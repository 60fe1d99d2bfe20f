#pragma once

#include <espalier/espalier.h>

namespace models {

/// Three 3 x 3 convolutions, 3 -> 64 -> 128 -> 256 channels, each with ReLU, the average over the image, and
/// a linear layer: images of any size from [N, 3, H, W] to 10 classes. With or without biases.
struct SeedNet {
  explicit SeedNet(bool bias = true)
      : conv1(3, 64, 3, {.padding = 1}, bias),
        conv2(64, 128, 3, {.padding = 1}, bias),
        conv3(128, 256, 3, {.padding = 1}, bias),
        fc1(256, 10, bias) {}

  espalier::Tensor operator()(const espalier::Tensor& images) const {
    using espalier::relu;
    const espalier::Tensor features = relu(conv3(relu(conv2(relu(conv1(images))))));
    return fc1(espalier::mean(features, {2, 3}));
  }
  void visit(espalier::nn::Visitor& visitor) {
    visitor("conv1", conv1);
    visitor("conv2", conv2);
    visitor("conv3", conv3);
    visitor("fc1", fc1);
  }

  espalier::nn::Conv2d conv1, conv2, conv3;
  espalier::nn::Linear fc1;
};

}  // namespace models
