#include "data/cifar.h"

#include <cstdint>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"
#include "data/cifar_records_internal.h"
#include "tests/support/message_of.h"
#include "tests/support/temporary_folder.h"

namespace espalier::data {
namespace {

using test::message_of;

std::vector<unsigned char> record(std::vector<unsigned char> labels, unsigned char red, unsigned char blue) {
  labels.insert(labels.end(), 1024, red);
  labels.insert(labels.end(), 1024, 0);
  labels.insert(labels.end(), 1024, blue);
  return labels;
}

std::vector<unsigned char> operator+(std::vector<unsigned char> one,
                                     const std::vector<unsigned char>& other) {
  one.insert(one.end(), other.begin(), other.end());
  return one;
}

TEST(CifarRecords, HaveTheirLabelsFirstAndThreePlanes) {
  const Examples ten = parse_cifar_records(record({7}, 1, 2) + record({9}, 3, 4), 1, 10, "batch");
  EXPECT_EQ(describe(ten.inputs), "u8[2, 3, 32, 32]");
  EXPECT_THAT(ten.labels.to_vector<int64_t>(), testing::ElementsAre(7, 9));
  const auto* pixels = ten.inputs.data<uint8_t>();
  EXPECT_EQ(pixels[0], 1);
  EXPECT_EQ(pixels[1023], 1);
  EXPECT_EQ(pixels[1024], 0);
  EXPECT_EQ(pixels[2048], 2);
  EXPECT_EQ(pixels[3072 + 3071], 4);
  const Examples hundred = parse_cifar_records(record({19, 99}, 1, 2), 2, 100, "train");
  EXPECT_THAT(hundred.labels.to_vector<int64_t>(), testing::ElementsAre(99)) << "the fine label";
}

TEST(CifarRecords, RefuseLabelsOfNoClassAndRecordsCutShort) {
  EXPECT_EQ(message_of<FormatError>(
                [] { parse_cifar_records(record({3}, 0, 0) + record({10}, 0, 0), 1, 10, "b.bin"); }),
            "[b.bin] record 1 has the label 10; there are 10 classes");
  std::vector<unsigned char> cut = record({3}, 0, 0);
  cut.pop_back();
  EXPECT_EQ(message_of<FormatError>([&] { parse_cifar_records(cut, 1, 10, "b.bin"); }),
            "[b.bin] has 3072 bytes, which are no whole records of 3073");
}

TEST(Cifar10, NamesTheFileThatIsMissingOrHasAnotherSize) {
  const test::TemporaryFolder folder;
  EXPECT_EQ(
      message_of<IoError>([&] { cifar10(folder.path()); }),
      "[" + (folder / "data_batch_1.bin").string() + "] does not exist; scripts/get-data cifar10 fetches it");
  EXPECT_EQ(
      message_of<IoError>([&] { cifar100(folder.path()); }),
      "[" + (folder / "train.bin").string() +
          "] does not exist; cifar-100-binary.tar.gz from www.cs.toronto.edu/~kriz/cifar.html holds it");
  std::ofstream(folder / "data_batch_1.bin") << "short";
  EXPECT_EQ(message_of<FormatError>([&] { cifar10(folder.path()); }),
            "[" + (folder / "data_batch_1.bin").string() +
                "] has 5 bytes; CIFAR's file of 10000 records has 30730000");
}

TEST(Cifar100, ReadsBothFiles) {
  const test::TemporaryFolder folder;
  // Files of zeros, all hole: class 0, black.
  std::ofstream(folder / "train.bin").close();
  std::ofstream(folder / "test.bin").close();
  std::filesystem::resize_file(folder / "train.bin", uintmax_t{50'000} * 3074);
  std::filesystem::resize_file(folder / "test.bin", uintmax_t{10'000} * 3074);
  const Split split = cifar100(folder.path());
  EXPECT_EQ(describe(split.train.inputs), "u8[50000, 3, 32, 32]");
  EXPECT_EQ(describe(split.test.labels), "i64[10000]");
}

}  // namespace
}  // namespace espalier::data
