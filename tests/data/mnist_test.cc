#include "data/mnist.h"

#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"
#include "tests/support/shared_path.h"
#include "tests/support/temporary_folder.h"

namespace espalier::data {
namespace {

using test::TemporaryFolder;

/// An IDX file of u8 with these sizes; elements 0, 1, 2, ... up to `modulus`.
void write_idx(const std::filesystem::path& path, const std::vector<int>& sizes, int modulus) {
  std::string bytes{0, 0, 8, static_cast<char>(sizes.size())};
  size_t elements = 1;
  for (const int size : sizes) {
    bytes += {0, 0, static_cast<char>(size >> 8), static_cast<char>(size & 255)};
    elements *= static_cast<size_t>(size);
  }
  for (size_t i = 0; i < elements; ++i) bytes.push_back(static_cast<char>(i % static_cast<size_t>(modulus)));
  std::ofstream(path, std::ios::binary) << bytes;
}

void write_all(const TemporaryFolder& folder) {
  write_idx(folder / "train-images-idx3-ubyte", {3, 28, 28}, 256);
  write_idx(folder / "train-labels-idx1-ubyte", {3}, 10);
  write_idx(folder / "t10k-images-idx3-ubyte", {2, 28, 28}, 256);
  write_idx(folder / "t10k-labels-idx1-ubyte", {2}, 10);
}

TEST(Mnist, ReadsTheFourFiles) {
  const TemporaryFolder folder;
  write_all(folder);
  const Split split = mnist(folder.path());
  EXPECT_EQ(describe(split.train.inputs), "u8[3, 1, 28, 28]");
  EXPECT_THAT(split.train.labels.to_vector<int64_t>(), testing::ElementsAre(0, 1, 2));
  EXPECT_EQ(describe(split.test.inputs), "u8[2, 1, 28, 28]");
  EXPECT_EQ(split.test.inputs.data<uint8_t>()[784], 784 % 256);
}

std::string refusal_of(const std::filesystem::path& folder) {
  try {
    mnist(folder);
  } catch (const Error& error) {
    return error.message();
  }
  return "no error";
}

TEST(Mnist, SaysWhatIsWrongWithItsFiles) {
  const TemporaryFolder folder;
  EXPECT_EQ(refusal_of(folder.path()),
            "does not exist, nor does train-images-idx3-ubyte.gz; scripts/get-data mnist fetches it");
  write_all(folder);
  write_idx(folder / "train-labels-idx1-ubyte", {4}, 10);
  EXPECT_EQ(refusal_of(folder.path()), "holds u8[4]; the images beside it are u8[3, 28, 28]");
  write_all(folder);
  write_idx(folder / "t10k-images-idx3-ubyte", {2, 28, 27}, 256);
  EXPECT_EQ(refusal_of(folder.path()), "holds u8[2, 28, 27]; expected u8[N, 28, 28]");
  write_all(folder);
  write_idx(folder / "t10k-images-idx3-ubyte", {11, 28, 28}, 256);
  write_idx(folder / "t10k-labels-idx1-ubyte", {11}, 11);
  EXPECT_EQ(refusal_of(folder.path()), "label 10 is 10; expected a digit");
  EXPECT_EQ(refusal_of(folder.path() + '/' + std::string(300, 'x')),
            "cannot be looked at: File name too long");
}

TEST(Mnist, TheRealOneHasItsKnownCounts) {
  const std::filesystem::path folder = test::shared_path("data/mnist");
  if (!std::filesystem::exists(folder)) GTEST_SKIP() << test::kNoSharedFiles;
  const Split split = mnist(folder);
  EXPECT_EQ(describe(split.train.inputs), "u8[60000, 1, 28, 28]");
  EXPECT_EQ(describe(split.test.inputs), "u8[10000, 1, 28, 28]");
  const std::vector<int64_t> train = split.train.labels.to_vector<int64_t>(),
                             test = split.test.labels.to_vector<int64_t>();
  EXPECT_EQ(std::count(train.begin(), train.end(), 0), 5923);
  EXPECT_EQ(std::count(test.begin(), test.end(), 0), 980);
  EXPECT_THAT(std::vector(train.begin(), train.begin() + 5), testing::ElementsAre(5, 0, 4, 1, 9));
  // The mean pixel of the training images, which everybody standardises with, is 0.1307 of 255.
  const auto* pixels = split.train.inputs.data<uint8_t>();
  double total = 0;
  for (int64_t i = 0; i < split.train.inputs.numel(); ++i) total += pixels[i];
  EXPECT_NEAR(total / static_cast<double>(split.train.inputs.numel()) / 255, 0.1307, 5e-5);
}

}  // namespace
}  // namespace espalier::data
