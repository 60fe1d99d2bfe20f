#pragma once

#include <initializer_list>
#include <vector>

#include <espalier/espalier.h>

namespace models {

/// Linear layers with ReLU between them: Mlp({784, 100, 10}) has two.
struct Mlp {
  Mlp(std::initializer_list<int64_t> widths) {
    for (auto width = widths.begin(); width + 1 < widths.end(); ++width)
      layers.emplace_back(width[0], width[1]);
  }

  espalier::Tensor operator()(espalier::Tensor x) const {
    for (size_t i = 0; i < layers.size(); ++i) {
      x = layers[i](x);
      if (i + 1 < layers.size()) x = espalier::relu(x);
    }
    return x;
  }
  void visit(espalier::nn::Visitor& visitor) { visitor("layers", layers); }

  std::vector<espalier::nn::Linear> layers;
};

}  // namespace models
