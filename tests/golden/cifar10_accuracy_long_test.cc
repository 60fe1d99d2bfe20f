// The published ResNet-20 on all 10,000 test images of the JPEG copy of CIFAR-10, unpacked first by the
// script that comes with it.

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <vector>

#include <espalier/espalier.h>
#include <gtest/gtest.h>

#include "tests/golden/shared_files.h"

namespace espalier::test {
namespace {

constexpr int64_t kImages = 10'000, kPlane = int64_t{32} * 32, kPixels = 3 * kPlane, kBatch = 200;

/// Images `first` to `first + kBatch` of the official binary layout, normalised as the weights expect, and
/// their labels.
data::Examples batch_of(const std::vector<unsigned char>& records, int64_t first) {
  constexpr float kMean[] = {0.485F, 0.456F, 0.406F}, kDeviation[] = {0.229F, 0.224F, 0.225F};
  std::vector<float> pixels(static_cast<size_t>(kBatch * kPixels));
  std::vector<int64_t> labels;
  for (int64_t i = 0; i < kBatch; ++i) {
    const unsigned char* record = &records[static_cast<size_t>((first + i) * (kPixels + 1))];
    labels.push_back(record[0]);
    for (int64_t p = 0; p < kPixels; ++p) {
      const int64_t channel = p / kPlane;
      pixels[static_cast<size_t>(i * kPixels + p)] =
          (static_cast<float>(record[1 + p]) / 255 - kMean[channel]) / kDeviation[channel];
    }
  }
  return {from_values(pixels, {kBatch, 3, 32, 32}), from_values(labels, {kBatch})};
}

TEST(Cifar10, PublishedResNet20ReachesTheRecordedAccuracy) {
  const std::filesystem::path unpack = shared_path("data/cifar10/unpack");
  const auto weights = shared_tensors("models/resnet20-cifar10.safetensors");
  if (!std::filesystem::exists(unpack) || weights.empty()) GTEST_SKIP() << kNoSharedFiles;
  const std::filesystem::path folder = std::filesystem::path(testing::TempDir()) / "espalier-cifar10";
  const std::string command =
      "python3 '" + unpack.string() + "' '" + folder.string() + "' --train 0 > /dev/null 2>&1";
  if (!std::filesystem::exists(folder / "test_batch.bin") && std::system(command.c_str()) != 0) {
    GTEST_SKIP() << "unpacking needs python3 with Pillow and NumPy (Debian: python3-pil python3-numpy)";
  }
  std::ifstream file(folder / "test_batch.bin", std::ios::binary);
  const std::vector<unsigned char> records{std::istreambuf_iterator<char>(file), {}};
  ASSERT_EQ(records.size(), static_cast<size_t>(kImages * (kPixels + 1)));

  models::ResNetCifar net(3);
  nn::load_state(net, weights);
  nn::eval(net);
  const NoGrad no_grad;
  double right = 0;
  for (int64_t first = 0; first < kImages; first += kBatch) {
    const data::Examples batch = batch_of(records, first);
    right += sum(cast(equal(argmax(net(batch.inputs), 1), batch.labels), Dtype::f64)).item();
  }
  // Five images more or less: the JPEG decoder and the order of sums may turn a few that stand on the edge.
  EXPECT_NEAR(right / kImages, 0.8103, 0.0005);
}

}  // namespace
}  // namespace espalier::test
