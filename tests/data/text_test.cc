#include "data/text.h"

#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/create.h"
#include "core/error.h"
#include "data/batches.h"
#include "io/vocabulary.h"
#include "ops/reshape.h"
#include "ops/slice.h"
#include "tests/support/shared_path.h"
#include "tests/support/temporary_folder.h"

namespace espalier::data {
namespace {

using testing::ElementsAre;

TEST(ReadText, GivesWhatIsThere) {
  const test::TemporaryFolder folder;
  const std::string text = "\xef\xbb\xbfna\xc3\xafve\r\n\n";
  std::ofstream(folder / "text", std::ios::binary) << text;
  EXPECT_EQ(read_text(folder / "text"), text);
  std::ofstream(folder / "empty").close();
  EXPECT_EQ(read_text(folder / "empty"), "");
}

TEST(ReadText, RefusesWhatIsNoTextOrTooLong) {
  const test::TemporaryFolder folder;
  EXPECT_THROW(read_text(folder / "none"), IoError);
  std::ofstream(folder / "latin", std::ios::binary) << "na\xefve";
  try {
    read_text(folder / "latin");
    ADD_FAILURE() << "was taken";
  } catch (const FormatError& error) {
    EXPECT_EQ(error.where(), (folder / "latin").string());
    EXPECT_THAT(error.message(), testing::HasSubstr("byte 2, 0xef"));
  }
  std::ofstream(folder / "long").close();
  std::filesystem::resize_file(folder / "long", kMaxTextBytes + 1);  // all hole
  EXPECT_THROW(read_text(folder / "long"), FormatError);
}

TEST(Windows, LabelsAreTheInputsOneFurtherOn) {
  const DataSet set = windows(arange(10, 16), 4);
  EXPECT_EQ(set.size(), 2);
  const Examples both = set.read(std::vector<int64_t>{1, 0});
  EXPECT_EQ(describe(both.inputs), "i64[2, 4]");
  EXPECT_EQ(describe(both.labels), "i64[2, 4]");
  EXPECT_THAT(both.inputs.to_vector<int64_t>(), ElementsAre(11, 12, 13, 14, 10, 11, 12, 13));
  EXPECT_THAT(both.labels.to_vector<int64_t>(), ElementsAre(12, 13, 14, 15, 11, 12, 13, 14));
  EXPECT_EQ(set.read({}).inputs.shape(), Shape({0, 4}));
  EXPECT_EQ(windows(arange(5), 4).size(), 1);
}

TEST(Windows, TokensMayLieApart) {
  const Tensor every_second = slice(arange(8), 0, {.step = 2});
  EXPECT_THAT(windows(every_second, 2).read_all().labels.to_vector<int64_t>(), ElementsAre(2, 4, 4, 6));
}

TEST(Windows, RefusesWhatHasNone) {
  EXPECT_THROW(windows(arange(4), 4), ValueError);
  EXPECT_THROW(windows(arange(4), 0), ValueError);
  EXPECT_THROW(windows(arange(4), -1), ValueError);
  EXPECT_THROW(windows(zeros({0}, Dtype::i64), 1), ValueError);
  EXPECT_THROW(windows(zeros({4}), 2), TypeError);
  EXPECT_THROW(windows(zeros({4, 4}, Dtype::i64), 2), ShapeError);
  EXPECT_THROW(windows(Tensor(), 2), ValueError);
}

TEST(Windows, ShakespeareIsAsNanoGptReadsIt) {
  const std::filesystem::path path = test::shared_path("data/tinyshakespeare/input.txt");
  if (!std::filesystem::exists(path)) GTEST_SKIP() << test::kNoSharedFiles;
  const std::string text = read_text(path);
  const io::Vocabulary vocabulary = io::Vocabulary::characters(text);
  // What data/shakespeare_char/prepare.py of nanoGPT prints.
  EXPECT_EQ(vocabulary.size(), 65);
  EXPECT_EQ(vocabulary.characters(), "\n !$&',-.3:;?ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz");
  const Tensor tokens = vocabulary.encode(text);
  EXPECT_EQ(tokens.numel(), 1'115'394);
  const Examples batch = Epoch(windows(tokens, 64), {.batch_size = 12, .seed = 1}, 0)[0];
  const std::string inputs = vocabulary.decode(reshape(batch.inputs, {-1}));
  EXPECT_NE(text.find(inputs.substr(0, 64)), std::string::npos);
  EXPECT_EQ(vocabulary.decode(reshape(batch.labels, {-1})).substr(64, 63), inputs.substr(65, 63));
}

}  // namespace
}  // namespace espalier::data
