#pragma once

#include <utility>
#include <vector>

#include <espalier/espalier.h>

namespace models {

/// Two 3 x 3 convolutions around a shortcut. Where the shape changes, the shortcut takes every second pixel
/// and pads channels with zeros: option A of He et al.
struct BasicBlock {
  BasicBlock(int64_t in, int64_t out, int64_t stride_)
      : conv1(in, out, 3, {.stride = stride_, .padding = 1}, false),
        bn1(out),
        conv2(out, out, 3, {.padding = 1}, false),
        bn2(out),
        stride(stride_),
        padding((out - in) / 2) {}

  espalier::Tensor operator()(const espalier::Tensor& x) const {
    using namespace espalier;
    const Tensor y = bn2(conv2(relu(bn1(conv1(x)))));
    return relu(y + (stride == 1 && padding == 0 ? x : shortcut(x)));
  }
  espalier::Tensor shortcut(const espalier::Tensor& x) const {
    const espalier::Tensor thinned = espalier::slice(x, {{}, {}, {.step = stride}, {.step = stride}});
    return espalier::pad(thinned, {0, padding, 0, 0}, {0, padding, 0, 0});
  }
  void visit(espalier::nn::Visitor& visitor) {
    visitor("conv1", conv1);
    visitor("bn1", bn1);
    visitor("conv2", conv2);
    visitor("bn2", bn2);
  }

  espalier::nn::Conv2d conv1;
  espalier::nn::BatchNorm2d bn1;
  espalier::nn::Conv2d conv2;
  espalier::nn::BatchNorm2d bn2;
  int64_t stride, padding;
};

/// The residual network of depth 6n + 2 for images [N, 3, 32, 32] of 10 classes: He, Zhang, Ren, Sun, "Deep
/// residual learning for image recognition" (2015), section 4.2.
struct ResNetCifar {
  explicit ResNetCifar(int n) : conv1(3, 16, 3, {.padding = 1}, false), bn1(16), linear(64, 10) {
    int64_t in = 16;
    for (const auto& [stage, out] :
         {std::pair{&layer1, 16}, std::pair{&layer2, 32}, std::pair{&layer3, 64}}) {
      for (int block = 0; block < n; ++block) {
        stage->emplace_back(in, out, block == 0 && out > 16 ? 2 : 1);
        in = out;
      }
    }
  }

  espalier::Tensor operator()(const espalier::Tensor& images) const {
    espalier::Tensor x = espalier::relu(bn1(conv1(images)));
    for (const auto* stage : {&layer1, &layer2, &layer3}) {
      for (const BasicBlock& block : *stage) x = block(x);
    }
    return linear(espalier::mean(x, {2, 3}));
  }
  void visit(espalier::nn::Visitor& visitor) {
    visitor("conv1", conv1);
    visitor("bn1", bn1);
    visitor("layer1", layer1);
    visitor("layer2", layer2);
    visitor("layer3", layer3);
    visitor("linear", linear);
  }

  espalier::nn::Conv2d conv1;
  espalier::nn::BatchNorm2d bn1;
  std::vector<BasicBlock> layer1, layer2, layer3;
  espalier::nn::Linear linear;
};

}  // namespace models
