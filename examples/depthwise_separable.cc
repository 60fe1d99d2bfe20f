// A network of depthwise-separable convolutions, each a filter a channel and a product across channels
// (Howard et al., "MobileNets", 2017), beside the same network of full convolutions: parameters and accuracy.
//
//   build/release/examples/depthwise_separable

#include <cstdio>
#include <iostream>

#include "examples/digits/training.h"

using namespace espalier;

/// A 3 x 3 convolution, whole or in its two parts, batch norm and ReLU6.
struct Block {
  Block(int64_t in, int64_t out, bool separable)
      : conv(in, separable ? in : out, 3, {.padding = 1, .groups = separable ? in : 1}, false), bn(out) {
    if (separable) pointwise.emplace(in, out, 1, Conv2dOptions{}, false);
  }
  Tensor operator()(const Tensor& x) const {
    const Tensor filtered = conv(x);
    return relu6(bn(pointwise ? (*pointwise)(filtered) : filtered));
  }
  void visit(nn::Visitor& visitor) {
    visitor("conv", conv);
    visitor("pointwise", pointwise);
    visitor("bn", bn);
  }

  nn::Conv2d conv;
  std::optional<nn::Conv2d> pointwise;
  nn::BatchNorm2d bn;
};

struct Net {
  explicit Net(bool separable) {
    for (const auto& [in, out] : {std::pair{16, 32}, {32, 64}, {64, 64}})
      blocks.emplace_back(in, out, separable);
  }
  Tensor operator()(const Tensor& images) const {
    Tensor x = relu6(bn(stem(images)));
    for (const Block& block : blocks) x = block(x);
    return head(mean(x, {2, 3}));
  }
  void visit(nn::Visitor& visitor) {
    visitor("stem", stem);
    visitor("bn", bn);
    visitor("blocks", blocks);
    visitor("head", head);
  }

  nn::Conv2d stem{1, 16, 3, {.padding = 1}, false};
  nn::BatchNorm2d bn{16};
  std::vector<Block> blocks;
  nn::Linear head{64, 10};
};

int main() {
  const data::Split data = data::digits();
  report::Table table({"convolutions", "parameters", "test accuracy"});
  for (const bool separable : {true, false}) {
    manual_seed(1);
    Net net(separable);
    int64_t parameters = 0;
    for (const Tensor& parameter : nn::parameters(net)) parameters += parameter.numel();
    const digits::Record record = digits::fit_with_progress(net, data, {.epochs = 15});
    table.add_row({separable ? "separable" : "full", std::to_string(parameters),
                   report::fixed(100 * record.accuracies.back(), 2) + " %"});
  }
  std::cout << table;
}
