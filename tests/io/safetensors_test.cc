#include "io/safetensors.h"

#include <cstring>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"
#include "tests/support/file_size_limit.h"
#include "tests/support/temporary_folder.h"

namespace espalier::io {
namespace {

using test::FileSizeLimit;
using test::TemporaryFolder;
using testing::HasSubstr;

std::vector<unsigned char> file_of(const std::string& header, size_t data_bytes, uint64_t claimed) {
  std::vector<unsigned char> bytes;
  for (int i = 0; i < 8; ++i) bytes.push_back(static_cast<unsigned char>(claimed >> (8 * i)));
  bytes.insert(bytes.end(), header.begin(), header.end());
  bytes.resize(bytes.size() + data_bytes);
  return bytes;
}
std::vector<unsigned char> file_of(const std::string& header, size_t data_bytes) {
  return file_of(header, data_bytes, header.size());
}

/// The message of the FormatError that parsing gives.
std::string safetensors_refusal(const std::vector<unsigned char>& bytes) {
  try {
    parse_safetensors(bytes, "w.safetensors");
  } catch (const FormatError& error) {
    EXPECT_EQ(error.where(), "w.safetensors");
    EXPECT_THAT(error.what(), testing::Not(HasSubstr("\n")));
    return error.message();
  }
  ADD_FAILURE() << "was taken";
  return "";
}
std::string safetensors_refusal(const std::string& header, size_t data_bytes = 0) {
  return safetensors_refusal(file_of(header, data_bytes));
}

TEST(Safetensors, EveryTypeComesBack) {
  const TemporaryFolder folder;
  std::map<std::string, Tensor> tensors;
  for (int i = 0; i < kDtypeCount; ++i) {
    const auto dtype = static_cast<Dtype>(i);
    Tensor tensor = empty({3, 5}, dtype);
    auto* bytes = static_cast<unsigned char*>(tensor.raw_data());
    for (size_t n = 0; n < 15 * size_of(dtype); ++n)
      bytes[n] = static_cast<unsigned char>(dtype == Dtype::boolean ? n % 2 : n * 7 + i);
    tensors[std::string(to_string(dtype))] = tensor;
  }
  tensors["scalar"] = full({}, 2.5);
  tensors["empty"] = zeros({0, 4});
  tensors["a \"name\"\n with \xc3\xa9"] = ones({2});
  save_safetensors(folder / "w.safetensors", tensors, {{"made by", "a test"}});
  const Safetensors loaded = load_safetensors(folder / "w.safetensors");
  EXPECT_EQ(loaded.metadata.at("made by"), "a test");
  ASSERT_EQ(loaded.tensors.size(), tensors.size());
  for (const auto& [name, tensor] : tensors) {
    const Tensor& found = loaded.tensors.at(name);
    ASSERT_EQ(describe(found), describe(tensor)) << name;
    const size_t bytes = static_cast<size_t>(tensor.numel()) * size_of(tensor.dtype());
    EXPECT_TRUE(bytes == 0 || std::memcmp(found.raw_data(), tensor.raw_data(), bytes) == 0) << name;
  }
}

TEST(Safetensors, StridedTensorsAreWrittenRowMajor) {
  const TemporaryFolder folder;
  const Tensor rows = from_values<float>({0, 1, 2, 3, 4, 5}, {2, 3});
  const Tensor transposed = rows.with_layout({3, 2}, {1, 3}, 0);
  save_safetensors(folder / "w.safetensors", {{"t", transposed}});
  EXPECT_THAT(load_safetensors(folder / "w.safetensors").tensors.at("t").to_vector<float>(),
              testing::ElementsAre(0, 3, 1, 4, 2, 5));
}

TEST(Safetensors, AChangeStaysInMemoryAndOutlivesTheFile) {
  const TemporaryFolder folder;
  save_safetensors(folder / "w.safetensors", {{"t", ones({4})}});
  Tensor first = load_safetensors(folder / "w.safetensors").tensors.at("t");
  first.mutable_data<float>()[0] = 7;
  const Tensor second = load_safetensors(folder / "w.safetensors").tensors.at("t");
  std::filesystem::remove(folder / "w.safetensors");
  EXPECT_EQ(first.data<float>()[0], 7);
  EXPECT_EQ(second.data<float>()[0], 1);
}

TEST(Safetensors, AFileCutAnywhereIsRefused) {
  const std::string header =
      R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"I64","shape":[1],"data_offsets":[8,16]}})";
  const std::vector<unsigned char> whole = file_of(header, 16);
  EXPECT_EQ(parse_safetensors(whole).tensors.size(), 2u);
  for (size_t size = 0; size < whole.size(); ++size)
    safetensors_refusal(std::vector(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size)));
}

TEST(Safetensors, HostileHeadersAreRefused) {
  const auto entry = [](const std::string& name, const std::string& dtype, const std::string& shape,
                        const std::string& offsets) {
    return "\"" + name + R"(":{"dtype":")" + dtype + R"(","shape":)" + shape + R"(,"data_offsets":)" +
           offsets + "}";
  };
  EXPECT_THAT(safetensors_refusal(file_of("{}", 0, uint64_t{1} << 40)),
              HasSubstr("claims a header of 1099511627776 bytes"));
  EXPECT_THAT(
      safetensors_refusal(
          "{" + entry("a", "F32", "[2]", "[0,8]") + "," + entry("a", "F32", "[2]", "[8,16]") + "}", 16),
      HasSubstr("'a' occurs twice"));
  EXPECT_THAT(
      safetensors_refusal(
          "{" + entry("a", "F32", "[2]", "[0,8]") + "," + entry("b", "F32", "[2]", "[4,12]") + "}", 12),
      HasSubstr("overlap"));
  EXPECT_THAT(
      safetensors_refusal(
          "{" + entry("a", "F32", "[2]", "[0,8]") + "," + entry("b", "F32", "[2]", "[12,20]") + "}", 20),
      HasSubstr("nothing those before"));
  EXPECT_THAT(safetensors_refusal("{" + entry("a", "F32", "[2]", "[0,8]") + "}", 4),
              HasSubstr("outside the file"));
  EXPECT_THAT(safetensors_refusal("{" + entry("a", "F32", "[2]", "[0,8]") + "}", 12),
              HasSubstr("belong to no tensor"));
  EXPECT_THAT(safetensors_refusal("{" + entry("a", "F32", "[2]", "[8,0]") + "}", 8),
              HasSubstr("outside the file"));
  EXPECT_THAT(safetensors_refusal("{" + entry("a", "F32", "[3]", "[0,8]") + "}", 8),
              HasSubstr("f32[3] takes 12"));
  EXPECT_THAT(safetensors_refusal("{" + entry("a", "F128", "[2]", "[0,8]") + "}", 8),
              HasSubstr("unknown type 'F128'"));
  EXPECT_THAT(safetensors_refusal("{" + entry("a", "F32", "[4294967296,4294967296]", "[0,0]") + "}"),
              HasSubstr("more elements than 64 bits"));
  EXPECT_THAT(safetensors_refusal("{" + entry("a", "F32", "[18446744073709551615]", "[0,0]") + "}"),
              HasSubstr("18446744073709551615"));
  EXPECT_THAT(safetensors_refusal("{" + entry("a", "F32", "[-1]", "[0,0]") + "}"),
              HasSubstr("negative number"));
  EXPECT_THAT(safetensors_refusal("{" + entry("a", "F32", "[1,1,1,1,1,1,1,1,1]", "[0,4]") + "}", 4),
              HasSubstr("more than 8 axes"));
  EXPECT_THAT(safetensors_refusal("{" + entry("a", "F32", "[1]", "[0,4,8]") + "}", 4),
              HasSubstr("two data_offsets"));
  EXPECT_THAT(safetensors_refusal("{" + entry("a", "F32", "[1]", "[0]") + "}", 4),
              HasSubstr("two data_offsets"));
  EXPECT_THAT(safetensors_refusal(R"({"a":{"dtype":"F32","shape":[1]}})", 4), HasSubstr("lacks"));
  EXPECT_THAT(
      safetensors_refusal(R"({"a":{"dtype":"F32","dtype":"F16","shape":[1],"data_offsets":[0,4]}})", 4),
      HasSubstr("two fields 'dtype'"));
  EXPECT_THAT(safetensors_refusal(R"({"a":3})"), HasSubstr("a number"));
  EXPECT_THAT(safetensors_refusal("[]"), HasSubstr("an array"));
  EXPECT_THAT(safetensors_refusal("{} x"), HasSubstr("not JSON"));
  EXPECT_THAT(safetensors_refusal(std::string(100000, '[')), HasSubstr("an array"));
  std::vector<unsigned char> bad_bool = file_of("{" + entry("a", "BOOL", "[1]", "[0,1]") + "}", 1);
  bad_bool.back() = 2;
  EXPECT_THAT(safetensors_refusal(bad_bool), HasSubstr("other than 0 and 1"));
}

TEST(Safetensors, UnalignedElementsAreCopied) {
  const std::string header =
      R"({"a":{"dtype":"U8","shape":[1],"data_offsets":[0,1]},"b":{"dtype":"F32","shape":[1],"data_offsets":[1,5]}})";
  const Tensor b = parse_safetensors(file_of(header, 5)).tensors.at("b");
  EXPECT_EQ(reinterpret_cast<uintptr_t>(b.raw_data()) % 4, 0u);
  EXPECT_EQ(b.item(), 0);
}

TEST(Safetensors, AFailedSaveLeavesTheOldFileAndNothingElse) {
  const TemporaryFolder folder;
  save_safetensors(folder / "w.safetensors", {{"t", ones({1})}});
  EXPECT_THROW(save_safetensors(folder / "w.safetensors", {{"t", ones({1})}, {"u", Tensor()}}), ValueError);
  EXPECT_THROW(save_safetensors(folder / "w.safetensors", {{"\xff", ones({1})}}), ValueError);
  EXPECT_THROW(save_safetensors(folder / "w.safetensors", {{"t", empty({1}, Dtype::f32, kMeta)}}),
               DeviceError);
  EXPECT_THROW(save_safetensors(folder / "absent" / "w.safetensors", {{"t", ones({1})}}), IoError);
  EXPECT_EQ(load_safetensors(folder / "w.safetensors").tensors.at("t").item(), 1);
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder.path()), {}), 1);
}

TEST(Safetensors, AHeaderLongerThanTheFormatAllowsIsNotRead) {
  const TemporaryFolder folder;
  constexpr uint64_t kLength = 100'000'001;  // one more than the format's limit
  {
    std::ofstream file(folder / "long", std::ios::binary);
    for (int i = 0; i < 8; ++i) file.put(static_cast<char>(kLength >> (8 * i)));
  }
  std::filesystem::resize_file(folder / "long", kLength + 8);  // with a hole: nothing is written
  try {
    load_safetensors(folder / "long");
    FAIL() << "no error";
  } catch (const FormatError& error) {
    EXPECT_THAT(error.what(), HasSubstr("the format allows 100000000"));
  }
}

TEST(Safetensors, AFullDiskLeavesTheOldFileAndNothingElse) {
  const TemporaryFolder folder;
  save_safetensors(folder / "w.safetensors", {{"t", ones({1})}});
  // A limit on the size of files stands for the disk: writing fails in the middle.
  {
    const FileSizeLimit limit(4096);
    EXPECT_THROW(save_safetensors(folder / "w.safetensors", {{"t", zeros({1 << 20})}}), IoError);
  }
  EXPECT_EQ(load_safetensors(folder / "w.safetensors").tensors.at("t").item(), 1);
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder.path()), {}), 1);
}

TEST(Safetensors, MissingFilesAndFoldersAreIoErrors) {
  const TemporaryFolder folder;
  EXPECT_THROW(load_safetensors(folder / "absent"), IoError);
  EXPECT_THROW(load_safetensors(folder.path()), IoError);
  std::ofstream(folder / "empty").close();
  EXPECT_THROW(load_safetensors(folder / "empty"), FormatError);
}

}  // namespace
}  // namespace espalier::io
