#include "io/checkpoint.h"

#include <fstream>
#include <functional>
#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"
#include "tests/support/file_size_limit.h"
#include "tests/support/message_of.h"
#include "tests/support/temporary_folder.h"

namespace espalier::io {
namespace {

using test::problem_of;
using test::TemporaryFolder;
using testing::ElementsAre;
using testing::HasSubstr;

Checkpoint sample(int64_t step, float value = 1) {
  return {.step = step,
          .parts = {{"model", {{"fc.weight", full({2, 3}, value)}, {"fc.bias", zeros({3}, Dtype::f64)}}},
                    {"optimiser", {{"learning_rate", full({}, 0.1)}}},
                    {"empty", {}}},
          .metrics = {{"loss", 0.5}, {"unknown", std::numeric_limits<double>::quiet_NaN()}},
          .notes = {{"recipe", "lr = 0.1\n\"quoted\" \xe2\x80\x93 manifest_crc32 00000000"}}};
}

std::string read_text(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

void write_text(const std::filesystem::path& path, const std::string& text) {
  std::ofstream(path, std::ios::binary) << text;
}

std::vector<std::string> names_in(const std::filesystem::path& folder) {
  std::vector<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(folder))
    names.push_back(entry.path().filename().string());
  std::sort(names.begin(), names.end());
  return names;
}

TEST(Checkpoint, ComesBackAsItWas) {
  const TemporaryFolder folder;
  save_checkpoint(folder / "here", sample(1200, 2.5F));
  EXPECT_THAT(names_in(folder.path()), ElementsAre("here"));
  EXPECT_THAT(names_in(folder / "here"), ElementsAre("empty.safetensors", "manifest.json",
                                                     "model.safetensors", "optimiser.safetensors"));
  const Checkpoint loaded = load_checkpoint(folder / "here");
  EXPECT_EQ(loaded.step, 1200);
  EXPECT_EQ(loaded.metrics.at("loss"), 0.5);
  EXPECT_TRUE(std::isnan(loaded.metrics.at("unknown")));
  EXPECT_EQ(loaded.notes, sample(0).notes);
  EXPECT_EQ(loaded.parts.size(), 3U);
  EXPECT_THAT(loaded.parts.at("model").at("fc.weight").to_vector<float>(), testing::Each(2.5F));
  EXPECT_EQ(describe(loaded.parts.at("model").at("fc.bias")), "f64[3]");
  EXPECT_EQ(loaded.parts.at("empty").size(), 0U);
  const Checkpoint manifest = load_checkpoint_manifest(folder / "here");
  EXPECT_EQ(manifest.step, 1200);
  EXPECT_TRUE(manifest.parts.empty());
}

TEST(Checkpoint, ReplacesTheOneThatIsThereAndLeavesTensorsMappedFromItAlone) {
  const TemporaryFolder folder;
  save_checkpoint(folder / "here", sample(1, 1));
  const Checkpoint first = load_checkpoint(folder / "here");
  Checkpoint second = sample(2, 2);
  second.parts.erase("empty");
  save_checkpoint(folder / "here", second);
  EXPECT_EQ(load_checkpoint(folder / "here").step, 2);
  EXPECT_EQ(load_checkpoint(folder / "here").parts.size(), 2U);
  EXPECT_THAT(first.parts.at("model").at("fc.weight").to_vector<float>(), testing::Each(1.0F));
  EXPECT_THAT(names_in(folder.path()), ElementsAre("here"));
}

TEST(Checkpoint, AFullDiskLeavesWhatWasThere) {
  const TemporaryFolder folder;
  save_checkpoint(folder / "here", sample(1));
  {
    const test::FileSizeLimit small(100);
    EXPECT_THAT(problem_of<IoError>([&] { save_checkpoint(folder / "here", sample(2)); }),
                HasSubstr("File too large"));
  }
  EXPECT_EQ(load_checkpoint(folder / "here").step, 1);
  EXPECT_THAT(names_in(folder.path()), ElementsAre("here"));
}

TEST(Checkpoint, EveryFlippedBitIsFound) {
  const TemporaryFolder folder;
  save_checkpoint(folder / "here", sample(7));
  for (const char* name : {"manifest.json", "model.safetensors", "optimiser.safetensors"}) {
    const std::filesystem::path path = folder / "here" / name;
    const std::string good = read_text(path);
    for (size_t i = 0; i < good.size(); ++i) {
      std::string bad = good;
      bad[i] = static_cast<char>(bad[i] ^ (1 << (i % 8)));
      write_text(path, bad);
      EXPECT_THROW(load_checkpoint(folder / "here"), FormatError) << name << ", byte " << i;
    }
    for (const size_t size : {size_t{0}, good.size() / 2, good.size() - 1}) {
      write_text(path, good.substr(0, size));
      EXPECT_THROW(load_checkpoint(folder / "here"), FormatError) << name << " cut to " << size;
    }
    write_text(path, good);
  }
  EXPECT_EQ(load_checkpoint(folder / "here").step, 7);
}

TEST(Checkpoint, SaysWhatIsMissingOrWrong) {
  const TemporaryFolder folder;
  EXPECT_THAT(problem_of<IoError>([&] { load_checkpoint(folder / "none"); }), HasSubstr("cannot open it"));
  save_checkpoint(folder / "here", sample(7));
  const std::filesystem::path model = folder / "here" / "model.safetensors";
  const std::string good = read_text(model);
  write_text(model, good + "x");
  EXPECT_EQ(
      problem_of<FormatError>([&] { load_checkpoint(folder / "here"); }),
      "has " + std::to_string(good.size() + 1) + " bytes; the manifest says " + std::to_string(good.size()));
  std::string flipped = good;
  flipped.back() = static_cast<char>(flipped.back() ^ 1);
  write_text(model, flipped);
  EXPECT_EQ(problem_of<FormatError>([&] { load_checkpoint(folder / "here"); }),
            "its checksum is not that of the manifest: it was damaged or changed");
  std::filesystem::remove(model);
  try {
    load_checkpoint(folder / "here");
    ADD_FAILURE() << "a part is missing";
  } catch (const IoError& error) {
    EXPECT_EQ(error.where(), model.string());
  }
}

/// A manifest with a checksum that fits: what a person, not an accident, would have changed.
void replace_in_manifest(const std::filesystem::path& folder, const std::string& what,
                         const std::string& by) {
  const std::filesystem::path path = folder / "manifest.json";
  std::string text = read_text(path);
  const size_t at = text.find(what);
  ASSERT_NE(at, std::string::npos);
  text.replace(at, what.size(), by);
  const size_t sum = text.rfind(": \"") + 3;
  text.replace(sum, 8, "00000000");
  uint32_t crc = ~uint32_t{0};  // bit by bit, as the standard of gzip has it
  for (const char c : text) {
    crc ^= static_cast<unsigned char>(c);
    for (int bit = 0; bit < 8; ++bit) crc = crc >> 1 ^ (crc & 1 ? 0xEDB88320 : 0);
  }
  char hex[9];
  std::snprintf(hex, sizeof hex, "%08x", ~crc);
  text.replace(sum, 8, hex);
  write_text(path, text);
}

TEST(Checkpoint, AManifestThatSomebodyWroteIsRead) {
  const TemporaryFolder folder;
  save_checkpoint(folder / "here", sample(7));
  replace_in_manifest(folder / "here", "\"step\": 7", "\"step\": 8");
  EXPECT_EQ(load_checkpoint(folder / "here").step, 8);
}

TEST(Checkpoint, ManifestsThatMakeNoSenseAreRefused) {
  const std::pair<std::pair<const char*, const char*>, const char*> cases[] = {
      {{"\"version\": 1", "\"version\": 2"},
       "it has version 2; this program reads up to 1, a later one may read it"},
      {{"espalier checkpoint", "other checkpoint"}, "its format is 'other checkpoint'"},
      {{"\"step\": 7", "\"step\": -7"}, "step -7 is negative"},
      {{"\"file\": \"model.safetensors\"", "\"file\": \"../model.safetensors\""},
       "'../model.safetensors' is no name of a file of part model"},
      {{"\"model\": [", "\"mo/el\": ["}, "'mo/el' is no part's name"},
  };
  for (const auto& [change, message] : cases) {
    const TemporaryFolder folder;
    save_checkpoint(folder / "here", sample(7));
    replace_in_manifest(folder / "here", change.first, change.second);
    EXPECT_EQ(problem_of<FormatError>([&] { load_checkpoint(folder / "here"); }),
              "is no manifest of a checkpoint: " + std::string(message));
  }
  const TemporaryFolder folder;
  save_checkpoint(folder / "here", sample(7));
  replace_in_manifest(folder / "here", "\"step\": 7", "\"step\": \"7\"");
  EXPECT_EQ(problem_of<FormatError>([&] { load_checkpoint(folder / "here"); }),
            "is no manifest of a checkpoint, or damaged");
}

TEST(Checkpoint, RefusesWhatItCannotName) {
  const TemporaryFolder folder;
  EXPECT_THROW(save_checkpoint(folder / "here", {.step = -1}), ValueError);
  for (const char* part : {"", "a/b", "..", "a.b"}) {
    EXPECT_THROW(save_checkpoint(folder / "here", {.step = 0, .parts = {{part, {}}}}), ValueError);
  }
  EXPECT_THROW(save_checkpoint(folder / "here", {.step = 0, .notes = {{"a", "\xff"}}}), ValueError);
  EXPECT_THROW(save_checkpoint(folder / "no" / "folder", sample(0)), IoError);
  EXPECT_TRUE(names_in(folder.path()).empty());
}

}  // namespace
}  // namespace espalier::io
