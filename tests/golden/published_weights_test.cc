#include <vector>

#include <espalier/espalier.h>
#include <gtest/gtest.h>

#include "tests/golden/shared_files.h"

namespace {

using namespace espalier;
using test::kNoSharedFiles;
using test::shared_tensors;

// ResNet-20 for CIFAR-10 of akamaster/pytorch_resnet_cifar10, and what PyTorch computes with it.
TEST(PublishedWeights, ResNet20LoadsByNameAndGivesTheRecordedLogits) {
  const auto weights = shared_tensors("models/resnet20-cifar10.safetensors");
  if (weights.empty()) GTEST_SKIP() << kNoSharedFiles;
  const auto recorded = shared_tensors("models/resnet20-cifar10-logits.safetensors");
  models::ResNetCifar net(3);
  nn::load_state(net, weights);
  nn::eval(net);
  const NoGrad no_grad;
  const std::vector<float> got = net(recorded.at("x")).to_vector<float>();
  const std::vector<float> expected = recorded.at("logits").to_vector<float>();
  ASSERT_EQ(got.size(), expected.size());
  for (size_t i = 0; i < got.size(); ++i) EXPECT_NEAR(got[i], expected[i], 1e-3) << "logit " << i;
}

}  // namespace
