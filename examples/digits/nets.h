#pragma once

#include <espalier/espalier.h>

namespace digits {

/// Three convolutions for images [N, 1, 8, 8] of ten classes; about 121,000 parameters.
struct ConvNet {
  espalier::Tensor operator()(const espalier::Tensor& images) const {
    using namespace espalier;
    const Tensor x = max_pool2d(relu(bn2(conv2(relu(bn1(conv1(images)))))), 2);
    return out(dropout(flatten(relu(bn3(conv3(x))), 1)));
  }
  void visit(espalier::nn::Visitor& visitor) {
    visitor("conv1", conv1);
    visitor("bn1", bn1);
    visitor("conv2", conv2);
    visitor("bn2", bn2);
    visitor("conv3", conv3);
    visitor("bn3", bn3);
    visitor("dropout", dropout);
    visitor("out", out);
  }

  espalier::nn::Conv2d conv1{1, 32, 3, {.padding = 1}, false};
  espalier::nn::BatchNorm2d bn1{32};
  espalier::nn::Conv2d conv2{32, 64, 3, {.padding = 1}, false};
  espalier::nn::BatchNorm2d bn2{64};
  espalier::nn::Conv2d conv3{64, 64, 3, {.padding = 1}, false};
  espalier::nn::BatchNorm2d bn3{64};
  espalier::nn::Dropout dropout{0.3};
  espalier::nn::Linear out{64 * 4 * 4, 10};
};

/// 64-256-128-10 with ReLU.
struct MlpNet {
  espalier::Tensor operator()(const espalier::Tensor& images) const {
    using namespace espalier;
    return out(relu(hidden2(relu(hidden1(flatten(images, 1))))));
  }
  void visit(espalier::nn::Visitor& visitor) {
    visitor("hidden1", hidden1);
    visitor("hidden2", hidden2);
    visitor("out", out);
  }

  espalier::nn::Linear hidden1{64, 256}, hidden2{256, 128}, out{128, 10};
};

}  // namespace digits
