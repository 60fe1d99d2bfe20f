#include "io/npz.h"

#include <cstring>
#include <fstream>
#include <functional>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"
#include "tests/support/checksum.h"
#include "tests/support/temporary_folder.h"

namespace espalier::io {
namespace {

using test::append_number;
using test::TemporaryFolder;
using testing::ElementsAre;
using testing::HasSubstr;

using Bytes = std::vector<unsigned char>;
using Tensors = std::map<std::string, Tensor>;

Bytes file_content(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

/// An npy file of bytes.
Bytes npy(const Bytes& values) {
  const std::string dict =
      "{'descr': '|u1', 'fortran_order': False, 'shape': (" + std::to_string(values.size()) + ",), }\n";
  Bytes bytes = {0x93, 'N', 'U', 'M', 'P', 'Y', 1, 0};
  append_number(bytes, dict.size(), 2);
  bytes.insert(bytes.end(), dict.begin(), dict.end());
  bytes.insert(bytes.end(), values.begin(), values.end());
  return bytes;
}

/// An entry of an archive that may lie.
struct Entry {
  std::string name;
  Bytes content;
  unsigned method = 0;  // stored
  unsigned flags = 0;
  size_t size_claimed = content.size();
  uint32_t checksum = test::crc32(content);
};

Bytes archive(const std::vector<Entry>& entries) {
  Bytes bytes, directory;
  for (const Entry& entry : entries) {
    const size_t begin = bytes.size();
    Bytes common;
    for (const unsigned number : {20U, entry.flags, entry.method, 0U, 0x21U})
      append_number(common, number, 2);
    append_number(common, entry.checksum, 4);
    append_number(common, entry.content.size(), 4);
    append_number(common, entry.size_claimed, 4);
    append_number(common, entry.name.size(), 2);
    append_number(common, 0, 2);
    bytes.insert(bytes.end(), {'P', 'K', 3, 4});
    bytes.insert(bytes.end(), common.begin(), common.end());
    bytes.insert(bytes.end(), entry.name.begin(), entry.name.end());
    bytes.insert(bytes.end(), entry.content.begin(), entry.content.end());
    directory.insert(directory.end(), {'P', 'K', 1, 2, 20, 3});
    directory.insert(directory.end(), common.begin(), common.end());
    directory.insert(directory.end(), 10, 0);
    append_number(directory, begin, 4);
    directory.insert(directory.end(), entry.name.begin(), entry.name.end());
  }
  const size_t directory_at = bytes.size();
  bytes.insert(bytes.end(), directory.begin(), directory.end());
  bytes.insert(bytes.end(), {'P', 'K', 5, 6, 0, 0, 0, 0});
  for (int twice = 0; twice < 2; ++twice) append_number(bytes, entries.size(), 2);
  append_number(bytes, directory.size(), 4);
  append_number(bytes, directory_at, 4);
  append_number(bytes, 0, 2);
  return bytes;
}

/// The FormatError that parsing gives, in one line.
std::string npz_refusal(const Bytes& bytes) {
  try {
    parse_npz(bytes, "w.npz");
  } catch (const FormatError& error) {
    EXPECT_THAT(error.what(), testing::StartsWith("[w.npz"));
    EXPECT_THAT(error.what(), testing::Not(HasSubstr("\n")));
    return error.what();
  }
  ADD_FAILURE() << "was taken";
  return "";
}

void expect_same(const Tensors& found, const Tensors& wanted) {
  ASSERT_EQ(found.size(), wanted.size());
  for (const auto& [name, tensor] : wanted) {
    ASSERT_TRUE(found.contains(name)) << name;
    const Tensor& other = found.at(name);
    ASSERT_EQ(describe(other), describe(tensor));
    const size_t size = static_cast<size_t>(tensor.numel()) * size_of(tensor.dtype());
    EXPECT_TRUE(size == 0 || std::memcmp(other.raw_data(), tensor.raw_data(), size) == 0) << name;
  }
}

TEST(Npz, EveryTypeComesBack) {
  Tensors tensors;
  for (const Dtype dtype : {Dtype::f64, Dtype::f32, Dtype::f16, Dtype::i8, Dtype::u8, Dtype::i16, Dtype::i32,
                            Dtype::i64, Dtype::boolean, Dtype::u16, Dtype::u32, Dtype::u64}) {
    for (const Shape& shape : {Shape{}, Shape{3}, Shape{0, 4}, Shape{2, 3, 5}}) {
      const Tensor tensor = empty(shape, dtype);
      auto* bytes = static_cast<unsigned char*>(tensor.raw_data());
      const size_t size = static_cast<size_t>(tensor.numel()) * size_of(dtype);
      for (size_t n = 0; n < size; ++n)
        bytes[n] = static_cast<unsigned char>(dtype == Dtype::boolean ? n % 2 : n * 7 + 1);
      tensors[describe(tensor)] = tensor;
    }
  }
  const TemporaryFolder folder;
  for (const bool compress : {false, true}) {
    save_npz(folder / "x.npz", tensors, {.compress = compress});
    expect_same(load_npz(folder / "x.npz"), tensors);
  }
}

TEST(Npz, NamesComeBack) {
  Tensors tensors;
  for (const char* name : {"", "a", "encoder/0/kernel", "x.npy", "..a", "größe", "two\nlines"})
    tensors[name] = full({}, static_cast<double>(tensors.size()));
  const TemporaryFolder folder;
  save_npz(folder / "x.npz", tensors);
  expect_same(load_npz(folder / "x.npz"), tensors);
}

TEST(Npz, NamesWithoutTheFlagOfUtf8AreInDosCodePage437) {
  const Tensors found = parse_npz(archive({{"\x81.npy", npy({1})}, {"ä.npy", npy({2}), 0, 1 << 11}}));
  EXPECT_TRUE(found.contains("ü"));
  EXPECT_TRUE(found.contains("ä"));
}

TEST(Npz, NothingIsAnEmptyArchive) {
  const TemporaryFolder folder;
  save_npz(folder / "x.npz", {});
  EXPECT_EQ(file_content(folder / "x.npz"), archive({}));
  EXPECT_TRUE(load_npz(folder / "x.npz").empty());
}

TEST(Npz, TheSameTensorsGiveTheSameFile) {
  const Tensors tensors = {{"a", ones({100, 100})}, {"b", zeros({3}, Dtype::i64)}};
  const TemporaryFolder folder;
  save_npz(folder / "x.npz", tensors, {.compress = true});
  const Bytes first = file_content(folder / "x.npz");
  EXPECT_LT(first.size(), 1000U);  // of 40,024 bytes of elements
  save_npz(folder / "x.npz", tensors, {.compress = true});
  EXPECT_EQ(file_content(folder / "x.npz"), first);
  // A day of 1980, whatever today is: the date of the first entry.
  EXPECT_EQ(Bytes(first.begin() + 10, first.begin() + 14), Bytes({0, 0, 0x21, 0}));
}

TEST(Npz, ReadsWhatNumPyWrites) {
  // np.savez(f, a=np.arange(6, dtype="f4").reshape(2, 3), b=np.array([True, False])), and savez_compressed.
  for (const char* name : {"savez", "savez_compressed"}) {
    const Tensors found = load_npz(std::filesystem::path("tests/fuzz/corpus/npz") / name);
    ASSERT_EQ(found.size(), 2U);
    EXPECT_EQ(describe(found.at("a")), "f32[2, 3]");
    EXPECT_THAT(found.at("a").to_vector<float>(), ElementsAre(0, 1, 2, 3, 4, 5));
    EXPECT_THAT(found.at("b").to_vector<bool>(), ElementsAre(true, false));
  }
}

TEST(Npz, LargeArraysAreInflatedBitByBit) {
  // Zeros, of which deflate makes 1,027 bytes out of one: close to its most.
  const TemporaryFolder folder;
  const Tensors tensors = {{"zeros", zeros({5'000'000})}, {"more", zeros({30'000'000}, Dtype::u8)}};
  save_npz(folder / "x.npz", tensors, {.compress = true});
  EXPECT_LT(std::filesystem::file_size(folder / "x.npz"), 60'000U);
  expect_same(load_npz(folder / "x.npz"), tensors);
}

TEST(Npz, TransposedTensorsAreWrittenInCOrder) {
  const TemporaryFolder folder;
  const Tensor rows = from_values({0, 1, 2, 3, 4, 5}, {2, 3});
  save_npz(folder / "x.npz", {{"t", rows.with_layout({3, 2}, {1, 3}, 0)}});
  EXPECT_THAT(load_npz(folder / "x.npz").at("t").to_vector<int32_t>(), ElementsAre(0, 3, 1, 4, 2, 5));
}

TEST(Npz, AFileCutAnywhereIsRefused) {
  const Bytes whole = archive({{"a.npy", npy({1, 2})}, {"b.npy", npy({3})}});
  EXPECT_EQ(parse_npz(whole).size(), 2U);
  for (size_t size = 0; size < whole.size(); ++size)
    npz_refusal({whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size)});
}

TEST(Npz, ChangedDataIsRefused) {
  const Bytes content = npy({1, 2, 3});
  const Bytes whole = archive({{"a.npy", content}});
  for (size_t at = 0; at < content.size(); ++at) {
    Bytes changed = whole;
    changed[30 + 5 + at] ^= 4;  // behind the entry's header and name
    EXPECT_THAT(npz_refusal(changed), HasSubstr("[w.npz/a.npy] cannot be read: CRC error"));
  }
}

TEST(Npz, HostileEntriesAreRefused) {
  const Bytes good = npy({1});
  EXPECT_THAT(npz_refusal(archive({{"a.npy", good}, {"a.txt", good}})),
              HasSubstr("'a.txt', which is no .npy"));
  EXPECT_THAT(npz_refusal(archive({{"a/", {}}})), HasSubstr("'a/', which is no .npy"));
  EXPECT_THAT(npz_refusal(archive({{"a.npy", good}, {"a.npy", good}})), HasSubstr("'a.npy' twice"));
  for (const char* path :
       {"/a.npy", "../a.npy", "a/../../b.npy", "..\\a.npy", "\\a.npy", "a/..\\b.npy", "a/../.npy"})
    EXPECT_THAT(npz_refusal(archive({{path, good}})), HasSubstr("leads out")) << path;
  EXPECT_THAT(npz_refusal(archive({{"a\nb.txt", good}})), HasSubstr("no .npy"));
  EXPECT_THAT(npz_refusal(archive({{"a.npy", good, 0, 1}})), HasSubstr("'a.npy' is encrypted"));
  EXPECT_THAT(npz_refusal(archive({{"a.npy", good, 77}})), HasSubstr("Compression method not supported"));
  EXPECT_THAT(npz_refusal(archive({{"a.npy", {0xff, 0xff}, 8}})),
              HasSubstr("[w.npz/a.npy] cannot be read: Zlib"));
  EXPECT_THAT(npz_refusal(archive({{"a.npy", {'h', 'i'}}})),
              HasSubstr("[w.npz/a.npy] does not begin as an npy file"));
  EXPECT_THAT(npz_refusal({'P', 'K', 3, 4}), HasSubstr("no whole zip archive"));
  EXPECT_THAT(npz_refusal(good), HasSubstr("does not begin as a zip archive"));
  EXPECT_THAT(npz_refusal({}), HasSubstr("does not begin as a zip archive"));
}

TEST(Npz, SizesThatAreMerelyClaimedAreRefused) {
  const Bytes good = npy({1});
  // Contents a byte shorter and longer than claimed, of which the array alone would be well-formed.
  Bytes shorter = npy({1, 0}), longer = good;
  shorter.pop_back();
  longer.push_back(0);
  EXPECT_THAT(npz_refusal(archive({{"a.npy", shorter, 0, 0, shorter.size() + 1}})),
              HasSubstr("[w.npz/a.npy]"));
  EXPECT_THAT(npz_refusal(archive({{"a.npy", longer, 0, 0, good.size()}})), HasSubstr("[w.npz/a.npy]"));
  // One byte more than an archive of this size may claim in all, in one entry and in two.
  const size_t size = archive({{"a.npy", good}, {"b.npy", good}}).size();
  const size_t most = 1100 * size + (64 << 20);
  const Entry rest = {"b.npy", good, 0, 0, most - good.size() + 1};
  EXPECT_THAT(npz_refusal(archive({{"a.npy", good}, rest})), HasSubstr("zip bomb"));
  EXPECT_THAT(npz_refusal(archive({{"a.npy", good, 0, 0, 0xfffffffe}, {"b.npy", good}})),
              HasSubstr("zip bomb"));
  const Entry within = {"b.npy", good, 0, 0, most - good.size()};
  EXPECT_THAT(npz_refusal(archive({{"a.npy", good}, within})), testing::Not(HasSubstr("zip bomb")));
}

TEST(Npz, AnEndRecordThatClaimsBillionsOfEntriesIsRefused) {
  Bytes bytes = {'P', 'K', 5, 6};  // what the file must begin with
  const size_t end_at = bytes.size();
  bytes.insert(bytes.end(), {'P', 'K', 6, 6});
  append_number(bytes, 44, 8);
  append_number(bytes, 0, 12);
  for (int twice = 0; twice < 2; ++twice) append_number(bytes, uint64_t{1} << 33, 8);
  append_number(bytes, 0, 16);
  bytes.insert(bytes.end(), {'P', 'K', 6, 7});
  append_number(bytes, 0, 4);
  append_number(bytes, end_at, 8);
  append_number(bytes, 1, 4);
  bytes.insert(bytes.end(), {'P', 'K', 5, 6, 0, 0, 0, 0});
  bytes.insert(bytes.end(), 12, 0xff);
  append_number(bytes, 0, 2);
  EXPECT_THAT(npz_refusal(bytes), HasSubstr("no whole zip archive"));
}

TEST(Npz, WhatCannotBeWrittenLeavesTheFileAlone) {
  const TemporaryFolder folder;
  save_npz(folder / "x.npz", {{"a", ones({2})}});
  const Bytes before = file_content(folder / "x.npz");
  const Tensor one = ones({1});
  const auto save = [&](const Tensors& tensors) { save_npz(folder / "x.npz", tensors); };
  EXPECT_THROW(save({{"a", one}, {"b", ones({2}, Dtype::bf16)}}), TypeError);
  EXPECT_THROW(save({{"a", Tensor()}}), ValueError);
  EXPECT_THROW(save({{"a", empty({2}, Dtype::f32, kMeta)}}), DeviceError);
  for (const std::string& name : {std::string("../a"), std::string("/a"), std::string("a\0b", 3),
                                  std::string("a\1b"), std::string("\xff"), std::string(70'000, 'a')})
    EXPECT_THROW(save({{name, one}}), ValueError) << name.substr(0, 10);
  EXPECT_THROW(save({{"a", one}, {"a.npy", one}}), ValueError);
  EXPECT_EQ(file_content(folder / "x.npz"), before);
  EXPECT_THROW(save_npz(folder / "absent/x.npz", {{"a", one}}), IoError);
  EXPECT_THROW(load_npz(folder / "absent.npz"), IoError);
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder.path()), {}), 1);
}

}  // namespace
}  // namespace espalier::io
