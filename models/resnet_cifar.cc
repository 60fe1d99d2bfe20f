#include "models/resnet_cifar.h"

#include <utility>

#include "core/error.h"
#include "ops/add.h"
#include "ops/mean.h"
#include "ops/pad.h"
#include "ops/relu.h"
#include "ops/slice.h"

namespace espalier::models {

BasicBlock::BasicBlock(int64_t in, int64_t out, int64_t stride_)
    : conv1(in, out, 3, {.stride = stride_, .padding = 1}, false),
      bn1(out),
      conv2(out, out, 3, {.padding = 1}, false),
      bn2(out),
      stride(stride_),
      padding((out - in) / 2) {}

Tensor BasicBlock::operator()(const Tensor& x) const {
  const Tensor y = bn2(conv2(relu(bn1(conv1(x)))));
  return relu(y + (stride == 1 && padding == 0 ? x : shortcut(x)));
}

Tensor BasicBlock::shortcut(const Tensor& x) const {
  const Tensor thinned = slice(x, {{}, {}, {.step = stride}, {.step = stride}});
  return pad(thinned, {0, padding, 0, 0}, {0, padding, 0, 0});
}

void BasicBlock::visit(nn::Visitor& visitor) {
  visitor("conv1", conv1);
  visitor("bn1", bn1);
  visitor("conv2", conv2);
  visitor("bn2", bn2);
}

ResNetCifar::ResNetCifar(int n, int64_t classes, int64_t channels)
    : conv1(channels, 16, 3, {.padding = 1}, false), bn1(16), linear(64, classes) {
  if (n < 1) throw ValueError("ResNetCifar", std::to_string(n) + " blocks by stage; expected 1 or more");
  int64_t in = 16;
  for (const auto& [stage, out] : {std::pair{&layer1, 16}, std::pair{&layer2, 32}, std::pair{&layer3, 64}}) {
    for (int block = 0; block < n; ++block) {
      stage->emplace_back(in, out, block == 0 && out > 16 ? 2 : 1);
      in = out;
    }
  }
}

Tensor ResNetCifar::operator()(const Tensor& images) const {
  Tensor x = relu(bn1(conv1(images)));
  for (const auto* stage : {&layer1, &layer2, &layer3}) {
    for (const BasicBlock& block : *stage) x = block(x);
  }
  return linear(mean(x, {2, 3}));
}

void ResNetCifar::visit(nn::Visitor& visitor) {
  visitor("conv1", conv1);
  visitor("bn1", bn1);
  visitor("layer1", layer1);
  visitor("layer2", layer2);
  visitor("layer3", layer3);
  visitor("linear", linear);
}

}  // namespace espalier::models
