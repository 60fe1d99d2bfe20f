#pragma once

#include <cstdint>

#include "nn/conv2d.h"
#include "nn/linear.h"

namespace espalier::models {

struct SeedNetOptions {
  bool bias = true;
  int64_t channels = 3;  ///< of the images
  int64_t classes = 10;
};

/// Three 3 x 3 convolutions to 64, 128 and 256 channels, each with ReLU, the average over the image, and a
/// linear layer: images of any size from [N, channels, H, W] to [N, classes].
struct ESPALIER_API SeedNet {
  explicit SeedNet(const SeedNetOptions& options = {});

  Tensor operator()(const Tensor& images) const;
  void visit(nn::Visitor& visitor);

  nn::Conv2d conv1, conv2, conv3;
  nn::Linear fc1;
};

}  // namespace espalier::models
