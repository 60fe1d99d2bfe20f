#include "io/npy.h"

#include <cstring>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"
#include "tests/support/temporary_folder.h"

namespace espalier::io {
namespace {

using test::TemporaryFolder;
using testing::ElementsAre;
using testing::HasSubstr;

/// A file of version 1.0 with this dictionary and these bytes behind it.
std::vector<unsigned char> npy_file_of(const std::string& dict, const std::vector<unsigned char>& data = {}) {
  std::string text = "\x93NUMPY";
  text += {'\1', '\0', static_cast<char>(dict.size() & 0xff), static_cast<char>(dict.size() >> 8)};
  text += dict;
  std::vector<unsigned char> bytes(text.begin(), text.end());
  bytes.insert(bytes.end(), data.begin(), data.end());
  return bytes;
}

std::string dict_of(const std::string& descr, const std::string& shape,
                    const std::string& fortran = "False") {
  return "{'descr': '" + descr + "', 'fortran_order': " + fortran + ", 'shape': " + shape + ", }\n";
}

/// The message of the FormatError that parsing gives.
std::string npy_refusal(const std::vector<unsigned char>& bytes) {
  try {
    parse_npy(bytes, "x.npy");
  } catch (const FormatError& error) {
    EXPECT_EQ(error.where(), "x.npy");
    EXPECT_THAT(error.what(), testing::Not(HasSubstr("\n")));
    return error.message();
  }
  ADD_FAILURE() << "was taken";
  return "";
}

TEST(Npy, EveryTypeComesBack) {
  const TemporaryFolder folder;
  for (const Dtype dtype : {Dtype::f64, Dtype::f32, Dtype::f16, Dtype::i8, Dtype::u8, Dtype::i16, Dtype::i32,
                            Dtype::i64, Dtype::boolean, Dtype::u16, Dtype::u32, Dtype::u64}) {
    for (const Shape& shape : {Shape{}, Shape{3}, Shape{0, 4}, Shape{2, 3, 5}}) {
      const Tensor tensor = empty(shape, dtype);
      auto* bytes = static_cast<unsigned char*>(tensor.raw_data());
      const size_t size = static_cast<size_t>(tensor.numel()) * size_of(dtype);
      for (size_t n = 0; n < size; ++n)
        bytes[n] = static_cast<unsigned char>(dtype == Dtype::boolean ? n % 2 : n * 7 + 1);
      save_npy(folder / "x.npy", tensor);
      const Tensor found = load_npy(folder / "x.npy");
      ASSERT_EQ(describe(found), describe(tensor));
      EXPECT_TRUE(size == 0 || std::memcmp(found.raw_data(), bytes, size) == 0) << describe(tensor);
    }
  }
}

TEST(Npy, TheHeaderIsNumPysOwn) {
  const TemporaryFolder folder;
  save_npy(folder / "x.npy", zeros({3}));
  std::ifstream file(folder / "x.npy", std::ios::binary);
  const std::string content{std::istreambuf_iterator<char>(file), {}};
  EXPECT_THAT(content, HasSubstr("{'descr': '<f4', 'fortran_order': False, 'shape': (3,), }"));
  EXPECT_EQ(content.size(), 128u + 12u);
  EXPECT_EQ(content[127], '\n');
}

TEST(Npy, FortranOrderGivesRisingStrides) {
  const Tensor x = parse_npy(npy_file_of(dict_of("|u1", "(2, 3)", "True"), {0, 3, 1, 4, 2, 5}));
  EXPECT_EQ(x.strides(), Strides({1, 2}));
  const TemporaryFolder folder;
  save_npy(folder / "x.npy", x);
  EXPECT_THAT(load_npy(folder / "x.npy").to_vector<uint8_t>(), ElementsAre(0, 1, 2, 3, 4, 5));
}

TEST(Npy, TheOtherByteOrderIsTurned) {
  EXPECT_THAT(parse_npy(npy_file_of(dict_of(">i4", "(2,)"), {0, 0, 0, 1, 0, 0, 2, 0})).to_vector<int32_t>(),
              ElementsAre(1, 512));
  EXPECT_THAT(parse_npy(npy_file_of(dict_of("<i4", "(2,)"), {1, 0, 0, 0, 0, 2, 0, 0})).to_vector<int32_t>(),
              ElementsAre(1, 512));
}

TEST(Npy, HeadersMayBeWrittenOtherwise) {
  const std::vector<unsigned char> data = {7, 8, 9, 10};
  const char* const dict = "{ \"shape\" : (2L,2L), 'fortran_order':False,\t'descr':'|u1'}";
  EXPECT_EQ(parse_npy(npy_file_of(dict, data)).shape(), Shape({2, 2}));
  std::vector<unsigned char> version2 = npy_file_of(dict, data);
  version2[6] = 2;
  version2.insert(version2.begin() + 10, {0, 0});
  EXPECT_THAT(parse_npy(version2).to_vector<uint8_t>(), ElementsAre(7, 8, 9, 10));
}

TEST(Npy, AFileCutAnywhereIsRefused) {
  const std::vector<unsigned char> whole = npy_file_of(dict_of("<f4", "(2,)"), std::vector<unsigned char>(8));
  EXPECT_EQ(parse_npy(whole).numel(), 2);
  for (size_t size = 0; size < whole.size(); ++size)
    npy_refusal(std::vector(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size)));
}

TEST(Npy, HostileFilesAreRefused) {
  EXPECT_THAT(npy_refusal(npy_file_of(dict_of("|O", "(1,)"), {0})), HasSubstr("never unpickled"));
  EXPECT_THAT(npy_refusal(npy_file_of("{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,)}")),
              HasSubstr("structures"));
  EXPECT_THAT(npy_refusal(npy_file_of(dict_of("<c8", "(1,)"))), HasSubstr("the type '<c8'"));
  EXPECT_THAT(npy_refusal(npy_file_of(dict_of("<U4", "(1,)"))), HasSubstr("the type '<U4'"));
  EXPECT_THAT(npy_refusal(npy_file_of(dict_of("<f4", "(3,)"), std::vector<unsigned char>(8))),
              HasSubstr("f32[3] takes 12 bytes, but there are 8"));
  EXPECT_THAT(npy_refusal(npy_file_of(dict_of("<f4", "(1,)"), std::vector<unsigned char>(8))),
              HasSubstr("4 bytes follow the array f32[1]"));
  EXPECT_THAT(npy_refusal(npy_file_of(dict_of("<f4", "(4294967296, 4294967296)"))), HasSubstr("64 bits"));
  EXPECT_THAT(npy_refusal(npy_file_of(dict_of("<f4", "(99999999999999999999,)"))),
              HasSubstr("a size from 0"));
  EXPECT_THAT(npy_refusal(npy_file_of(dict_of("<f4", "(-1,)"))), HasSubstr("a size from 0"));
  EXPECT_THAT(npy_refusal(npy_file_of(dict_of("<f4", "(1,1,1,1,1,1,1,1,1)"))), HasSubstr("more than 8 axes"));
  EXPECT_THAT(npy_refusal(npy_file_of(dict_of("<f4", "(1,)", "0"))), HasSubstr("True or False"));
  EXPECT_THAT(npy_refusal(npy_file_of("{'descr': '<f4', 'descr': '<f4'}")), HasSubstr("'descr' twice"));
  EXPECT_THAT(npy_refusal(npy_file_of("{'descr': '<f4'}")), HasSubstr("needs the keys"));
  EXPECT_THAT(npy_refusal(npy_file_of("{'order': '<f4'}")), HasSubstr("unknown key 'order'"));
  EXPECT_THAT(npy_refusal(npy_file_of("{} x")), HasSubstr("goes on"));
  EXPECT_THAT(npy_refusal(npy_file_of(dict_of("|b1", "(1,)"), {2})), HasSubstr("other than 0 and 1"));
  std::vector<unsigned char> later = npy_file_of(dict_of("<f4", "(0,)"));
  later[6] = 4;
  EXPECT_THAT(npy_refusal(later), HasSubstr("version 4"));
}

TEST(Npy, WhatNumPyDoesNotHaveIsRefused) {
  const TemporaryFolder folder;
  EXPECT_THROW(save_npy(folder / "x.npy", ones({2}, Dtype::bf16)), TypeError);
  EXPECT_THROW(save_npy(folder / "x.npy", Tensor()), ValueError);
  EXPECT_THROW(save_npy(folder / "x.npy", empty({2}, Dtype::f32, kMeta)), DeviceError);
  EXPECT_FALSE(std::filesystem::exists(folder / "x.npy"));
}

}  // namespace
}  // namespace espalier::io
