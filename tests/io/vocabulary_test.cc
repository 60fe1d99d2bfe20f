#include "io/vocabulary.h"

#include <fstream>
#include <functional>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"
#include "tests/support/message_of.h"
#include "tests/support/temporary_folder.h"

namespace espalier::io {
namespace {

using test::problem_of;
using namespace std::string_literals;
using testing::ElementsAre;
using testing::HasSubstr;

TEST(Vocabulary, CharactersAreNumberedByRisingCodePoint) {
  const Vocabulary vocabulary = Vocabulary::characters("na\xc3\xafve \xf0\x9f\x8c\xb3\nna\xe2\x82\xac");
  EXPECT_EQ(vocabulary.characters(), "\n aenv\xc3\xaf\xe2\x82\xac\xf0\x9f\x8c\xb3");
  EXPECT_EQ(vocabulary.size(), 9);
  const Tensor ids = vocabulary.encode("\xf0\x9f\x8c\xb3n\xc3\xaf\n");
  EXPECT_EQ(describe(ids), "i64[4]");
  EXPECT_THAT(ids.to_vector<int64_t>(), ElementsAre(8, 4, 6, 0));
  EXPECT_EQ(vocabulary.decode(ids), "\xf0\x9f\x8c\xb3n\xc3\xaf\n");
  EXPECT_EQ(vocabulary.decode(std::vector<int64_t>{7}), "\xe2\x82\xac");
  EXPECT_EQ(describe(vocabulary.encode("")), "i64[0]");
  EXPECT_EQ(Vocabulary::characters(vocabulary.characters()).characters(), vocabulary.characters());
}

TEST(Vocabulary, BytesAreTheirOwnNumbers) {
  const Vocabulary vocabulary = Vocabulary::bytes();
  EXPECT_EQ(vocabulary.size(), 256);
  EXPECT_EQ(vocabulary.characters(), "");
  std::string text;
  for (int byte = 0; byte < 256; ++byte) text.push_back(static_cast<char>(byte));
  const Tensor ids = vocabulary.encode(text);
  EXPECT_EQ(ids.to_vector<int64_t>()[200], 200);
  EXPECT_EQ(vocabulary.decode(ids), text);
}

TEST(Vocabulary, NamesWhatItDoesNotKnow) {
  const Vocabulary vocabulary = Vocabulary::characters("abc");
  EXPECT_EQ(problem_of<ValueError>([&] { vocabulary.encode("ab\xc3\xa9"); }),
            "character '\xc3\xa9' (U+00E9) at byte 2 is not among the 3 known ones");
  EXPECT_EQ(problem_of<ValueError>([&] { vocabulary.encode("\n"); }),
            "character U+000A at byte 0 is not among the 3 known ones");
  EXPECT_EQ(problem_of<ValueError>([&] { vocabulary.encode("`"); }),
            "character '`' (U+0060) at byte 0 is not among the 3 known ones");
  EXPECT_EQ(problem_of<ValueError>([&] { vocabulary.decode(from_values<int64_t>({0, 3}, {2})); }),
            "id 3 at place 1; expected 0 to 2");
  EXPECT_EQ(problem_of<ValueError>([&] { vocabulary.decode(std::vector<int64_t>{-1}); }),
            "id -1 at place 0; expected 0 to 2");
  EXPECT_EQ(problem_of<ValueError>([&] { Vocabulary::bytes().decode(std::vector<int64_t>{256}); }),
            "id 256 at place 0; expected 0 to 255");
  EXPECT_THAT(problem_of<FormatError>([&] { vocabulary.encode("a\xff"); }), HasSubstr("byte 1, 0xff"));
  EXPECT_THAT(problem_of<FormatError>([&] { Vocabulary::characters("ab\xe2\x82"); }), HasSubstr("byte 2"));
  EXPECT_THROW(Vocabulary::characters(""), ValueError);
  EXPECT_THROW(vocabulary.decode(zeros({1})), TypeError);
  EXPECT_THROW(vocabulary.decode(zeros({1, 1}, Dtype::i64)), ShapeError);
}

TEST(Vocabulary, ComesBackFromJson) {
  const std::string text = "a\"\\\n\xe2\x82\xac\xf0\x9f\x8c\xb3"s + '\0';
  const Vocabulary characters = Vocabulary::characters(text);
  EXPECT_EQ(Vocabulary::characters("ba").json(), R"({"characters":"ab","kind":"characters"})");
  EXPECT_EQ(parse_vocabulary(characters.json()).characters(), characters.characters());
  EXPECT_EQ(Vocabulary::bytes().json(), R"({"kind":"bytes"})");
  EXPECT_EQ(parse_vocabulary(Vocabulary::bytes().json()).size(), 256);

  const test::TemporaryFolder folder;
  save_vocabulary(folder / "v.json", characters);
  EXPECT_EQ(load_vocabulary(folder / "v.json").decode(characters.encode(text)), text);
  EXPECT_THROW(load_vocabulary(folder / "none.json"), IoError);
  std::ofstream(folder / "long.json").close();
  std::filesystem::resize_file(folder / "long.json", (size_t{16} << 20) + 1);
  EXPECT_THAT(problem_of<FormatError>([&] { load_vocabulary(folder / "long.json"); }),
              HasSubstr("more than"));
}

TEST(Vocabulary, OtherJsonIsRefused) {
  const auto refusal = [](const std::string& json) {
    return problem_of<FormatError>([&] { parse_vocabulary(json, "v.json"); });
  };
  EXPECT_THAT(refusal(R"({"kind":"characters","characters":"ba"})"), HasSubstr("order"));
  EXPECT_THAT(refusal(R"({"kind":"characters","characters":"aa"})"), HasSubstr("each once"));
  for (const char* lacking :
       {R"({"kind":"characters"})", R"({"kind":"characters","characters":""})", R"({"characters":"ab"})",
        R"({"kind":"words"})", R"({"kind":"bytes","characters":"ab"})", "{}"})
    EXPECT_THAT(refusal(lacking), HasSubstr("lacks")) << lacking;
  EXPECT_THAT(refusal(R"({"kind":"bytes","kind":"bytes"})"), HasSubstr("two fields kind"));
  EXPECT_THAT(refusal(R"({"kind":"bytes","size":256})"), HasSubstr("a field other than"));
  EXPECT_THAT(refusal(R"({"kind":{"kind":"bytes"}})"), HasSubstr("an object"));
  EXPECT_THAT(refusal(R"({"kind":["bytes"]})"), HasSubstr("an array"));
  EXPECT_THAT(refusal(R"({"kind":1})"), HasSubstr("a number"));
  EXPECT_THAT(refusal(R"({"kind":-1.5})"), HasSubstr("a number"));
  EXPECT_THAT(refusal(R"({"kind":null})"), HasSubstr("null"));
  EXPECT_THAT(refusal(R"("bytes")"), HasSubstr("a string"));
  EXPECT_THAT(refusal(R"({"kind":"bytes"} x)"), HasSubstr("not JSON at its byte"));
  EXPECT_THAT(refusal("{\"kind\":\"\xff\"}"), HasSubstr("not JSON"));
  EXPECT_THAT(refusal(R"({"kind":"characters","characters":"\ud800"})"), HasSubstr("not JSON"));
  EXPECT_THAT(refusal(""), HasSubstr("not JSON"));
}

}  // namespace
}  // namespace espalier::io
