#pragma once

#include <cstdint>
#include <vector>

#include "nn/batch_norm2d.h"
#include "nn/conv2d.h"
#include "nn/linear.h"

namespace espalier::models {

/// Two 3 x 3 convolutions around a shortcut. Where the shape changes, the shortcut takes every second pixel
/// and pads channels with zeros: option A of He et al.
struct ESPALIER_API BasicBlock {
  BasicBlock(int64_t in, int64_t out, int64_t stride_);

  Tensor operator()(const Tensor& x) const;
  Tensor shortcut(const Tensor& x) const;
  void visit(nn::Visitor& visitor);

  nn::Conv2d conv1;
  nn::BatchNorm2d bn1;
  nn::Conv2d conv2;
  nn::BatchNorm2d bn2;
  int64_t stride, padding;
};

/// The residual network of depth 6n + 2 for small images [N, channels, H, W], 32 x 32 in the publication, to
/// [N, classes]: He, Zhang, Ren, Sun, "Deep residual learning for image recognition" (2015), section 4.2.
struct ESPALIER_API ResNetCifar {
  /// Throws ValueError for an n under 1.
  explicit ResNetCifar(int n, int64_t classes = 10, int64_t channels = 3);

  Tensor operator()(const Tensor& images) const;
  void visit(nn::Visitor& visitor);

  nn::Conv2d conv1;
  nn::BatchNorm2d bn1;
  std::vector<BasicBlock> layer1, layer2, layer3;
  nn::Linear linear;
};

}  // namespace espalier::models
