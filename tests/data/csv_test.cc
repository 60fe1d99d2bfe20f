#include "data/csv.h"

#include <cmath>
#include <fstream>
#include <functional>
#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"
#include "data/data_set.h"
#include "tests/support/message_of.h"
#include "tests/support/special_values.h"
#include "tests/support/temporary_folder.h"

namespace espalier::data {
namespace {

using test::kInfinity;
using test::problem_of;
using testing::ElementsAre;
using testing::HasSubstr;

const CsvOptions kBare{.header = false};
const CsvOptions kBareF64{.header = false, .dtype = Dtype::f64};

std::string refusal(const std::string& text, const CsvOptions& options = {}) {
  return problem_of<FormatError>([&] { parse_csv(text, options); });
}

std::vector<double> doubles(const std::string& text, const CsvOptions& options = kBareF64) {
  return parse_csv(text, options).values.to_vector<double>();
}

TEST(Csv, IsATableOfNumbersWithNames) {
  const CsvTable table = parse_csv("a,b,c\n1,2.5,-3\n4,5e1,.5\n");
  EXPECT_EQ(describe(table.values), "f32[2, 3]");
  EXPECT_THAT(table.values.to_vector<float>(), ElementsAre(1, 2.5F, -3, 4, 50, .5F));
  EXPECT_THAT(table.names, ElementsAre("a", "b", "c"));
  EXPECT_FALSE(table.labels.defined());
  EXPECT_THAT(table.label_names, testing::IsEmpty());
  EXPECT_EQ(describe(parse_csv("1,2", kBareF64).values), "f64[1, 2]");
  EXPECT_THAT(parse_csv("1,2", kBare).names, testing::IsEmpty());
  EXPECT_EQ(describe(parse_csv("a,b\n").values), "f32[0, 2]");
}

TEST(Csv, LabelsAreColumnsOfTheirOwn) {
  const CsvTable classes = parse_csv("x,kind,y\n1,7,2\n3,8,4\n", {.labels = {"kind"}});
  EXPECT_EQ(describe(classes.values), "f32[2, 2]");
  EXPECT_THAT(classes.values.to_vector<float>(), ElementsAre(1, 2, 3, 4));
  EXPECT_EQ(describe(classes.labels), "i64[2]");
  EXPECT_THAT(classes.labels.to_vector<int64_t>(), ElementsAre(7, 8));
  EXPECT_THAT(classes.names, ElementsAre("x", "y"));
  EXPECT_THAT(classes.label_names, ElementsAre("kind"));
  EXPECT_EQ(DataSet(Examples{classes.values, classes.labels}).size(), 2);

  const CsvTable targets = parse_csv("x,y,z\n1,2,3\n4,5,6\n", {.labels = {-1, 0}, .label_dtype = Dtype::f64});
  EXPECT_EQ(describe(targets.labels), "f64[2, 2]");
  EXPECT_THAT(targets.labels.to_vector<double>(), ElementsAre(3, 1, 6, 4));
  EXPECT_THAT(targets.label_names, ElementsAre("z", "x"));
  EXPECT_THAT(targets.values.to_vector<float>(), ElementsAre(2, 5));
  EXPECT_EQ(describe(parse_csv("1,2", {.header = false, .labels = {0}, .label_dtype = Dtype::f32}).labels),
            "f32[1, 1]");
  EXPECT_EQ(describe(parse_csv("1,2", {.header = false, .labels = {0, 1}}).labels), "i64[1, 2]");
  EXPECT_EQ(describe(parse_csv("1", {.header = false, .labels = {0}}).values), "f32[1, 0]");
}

TEST(Csv, QuotesAreThoseOfRfc4180) {
  const CsvTable table =
      parse_csv("\"a, or \"\"A\"\"\",\"two\r\nlines\",\"\"\r\n\"1\",\" 2 \",3\r\n\"4\",5,\"6\"");
  EXPECT_THAT(table.names, ElementsAre("a, or \"A\"", "two\r\nlines", ""));
  EXPECT_THAT(table.values.to_vector<float>(), ElementsAre(1, 2, 3, 4, 5, 6));
  EXPECT_EQ(refusal("a\n\"1"), "line 2, column 1: a quote without its end");
  EXPECT_EQ(refusal("a,b\n1,2\"\n"), "line 2, column 2: a quote inside a cell that does not begin with one");
  EXPECT_EQ(refusal("a\n\"1\"2\n"),
            "line 2, column 1: something between the closing quote and the end of the cell");
  EXPECT_EQ(refusal("\"a\nb\",c\n1,\"2\n\"\n"), "line 3, column 2: '2?' is no number")
      << "a quoted line end is a line end to an editor";
}

TEST(Csv, LinesEndAsTheyMay) {
  for (const char* text : {"1,2\n3,4", "1,2\n3,4\n", "1,2\r\n3,4\r\n", "1,2\r\n3,4", "\n1,2\n\r\n\n3,4\n\n\n",
                           "\xef\xbb\xbf\x31,2\n3,4\n", " 1,\t2\n3 ,4\t\n", "\"1\",\"2\"\r\n\"3\",\"4\"\r\n"})
    EXPECT_THAT(doubles(text), ElementsAre(1, 2, 3, 4)) << text;
  EXPECT_THAT(doubles("1;2\n3;4", {.delimiter = ';', .header = false, .dtype = Dtype::f64}),
              ElementsAre(1, 2, 3, 4));
  EXPECT_THAT(doubles("1\t2\n3\t 4", {.delimiter = '\t', .header = false, .dtype = Dtype::f64}),
              ElementsAre(1, 2, 3, 4));
}

TEST(Csv, NumbersAreTheNearestOfTheirType) {
  EXPECT_THAT(doubles("0.1,+2,-0,1e-400,-1e-400,4.9406564584124654e-324,1.7976931348623157e308"),
              ElementsAre(0.1, 2, 0, 0, 0, std::numeric_limits<double>::denorm_min(),
                          std::numeric_limits<double>::max()));
  EXPECT_TRUE(std::signbit(doubles("-1e-400")[0]));
  EXPECT_THAT(doubles("inf,-INF,NaN"), ElementsAre(kInfinity, -kInfinity, testing::IsNan()));
  // Just above the middle of two neighbours; by way of f64 it would be the middle, and round down.
  EXPECT_EQ(parse_csv("1.00000005960464477540", kBare).values.item(), 1 + std::ldexp(1.0, -23));
  EXPECT_EQ(parse_csv("1e-45", kBare).values.item(), std::ldexp(1.0, -149));
  EXPECT_EQ(parse_csv("1e-60", kBare).values.item(), 0);
  EXPECT_EQ(refusal("1e39", kBare),
            "line 1, column 1: '1e39' is too large for its type; is this line a header?");
  EXPECT_THAT(refusal("-1e309", kBareF64), HasSubstr("'-1e309' is too large"));
  EXPECT_THAT(refusal("1e9999", kBareF64), HasSubstr("'1e9999' is too large"));
  for (const char* wrong :
       {"1,5x", "1,+-5", "1,++5", "1,5 6", "1,0x5", "1,-", "1,+", "1,.", "1,e5", "1,1e", "1,1_000"})
    EXPECT_THAT(refusal(wrong, kBareF64),
                HasSubstr("column 2: '" + std::string(wrong + 2) + "' is no number"));
}

TEST(Csv, LabelsOfClassesAreIntegers) {
  const CsvOptions options{.header = false, .labels = {0}};
  EXPECT_THAT(parse_csv("3\n3.0\n-2\n+4\n1e3\n9223372036854775807\n", options).labels.to_vector<int64_t>(),
              ElementsAre(3, 3, -2, 4, 1000, INT64_MAX));
  EXPECT_EQ(refusal("1\n3.5", options), "line 2, column 1: '3.5' is no integer");
  EXPECT_EQ(refusal("1\n1e300", options), "line 2, column 1: '1e300' is no integer");
  EXPECT_EQ(refusal("1\nnan", options), "line 2, column 1: 'nan' is no integer");
  EXPECT_EQ(refusal("1\nsetosa", options), "line 2, column 1: 'setosa' is no number");
  EXPECT_EQ(refusal("1\n9223372036854775808", options),
            "line 2, column 1: '9223372036854775808' is too large for its type");
}

TEST(Csv, EmptyCellsAreErrorsUnlessTheyAreFilled) {
  EXPECT_EQ(refusal("a,b\n1,2\n3,\n"), "line 3, column 2: '' is empty; a fill value would stand for it");
  EXPECT_EQ(refusal("a,b\n \"\",2\n"),
            "line 2, column 1: a quote inside a cell that does not begin with one");
  CsvOptions filled{.labels = {"k"}, .fill = -1};
  EXPECT_THAT(parse_csv("k,a,b\n0,,\"\"\n1, ,2\n", filled).values.to_vector<float>(),
              ElementsAre(-1, -1, -1, 2));
  EXPECT_EQ(refusal("k,a\n,1\n", filled), "line 2, column 1: '' is empty") << "no class is made up";
  filled.fill = std::nan("");
  EXPECT_THAT(parse_csv("k,a\n0,\n", filled).values.to_vector<float>(), ElementsAre(testing::IsNan()));
  EXPECT_THAT(parse_csv("1,", {.header = false, .fill = 5}).values.to_vector<float>(), ElementsAre(1, 5))
      << "the last cell of a text without a last line end";
}

TEST(Csv, SaysWhereAFileIsWrong) {
  EXPECT_EQ(refusal("a,b\n1,2\n3,4,5\n"),
            "line 3, column 3: the line ends after 3 cells; those before it have 2");
  EXPECT_EQ(refusal("a,b\n\n1\n"), "line 3, column 1: the line ends after 1 cells; those before it have 2");
  EXPECT_EQ(refusal("width,height\n1,2\n", kBare),
            "line 1, column 1: 'width' is no number; is this line a header?");
  EXPECT_EQ(refusal("a\n" + std::string(100, 'x') + "\n"),
            "line 2, column 1: '" + std::string(32, 'x') + "...' is no number");
  EXPECT_EQ(refusal("a\nna\xc3\xafve\x1b\n"), "line 2, column 1: 'na??ve?' is no number");
  for (const char* nothing : {"", "\n", "\r\n\n", "\xef\xbb\xbf"})
    EXPECT_EQ(refusal(nothing), "has no lines");
  try {
    parse_csv("a,na\xefve\n", {}, "x.csv");
    ADD_FAILURE() << "was taken";
  } catch (const FormatError& error) {
    EXPECT_EQ(error.where(), "x.csv: the name of column 2");
  }
}

TEST(Csv, RefusesOptionsThatMakeNoSense) {
  for (const char delimiter : {'"', '\n', '\r', '.', '-', '+', '7', 'e', '\0'})
    EXPECT_THROW(parse_csv("1", {.delimiter = delimiter, .header = false}), ValueError) << delimiter;
  EXPECT_THROW(parse_csv("1", {.header = false, .dtype = Dtype::i64}), TypeError);
  EXPECT_THROW(parse_csv("1", {.header = false, .label_dtype = Dtype::u8}), TypeError);
  EXPECT_THROW(parse_csv("1", {.header = false, .fill = 1e39}), ValueError);
  EXPECT_EQ(
      parse_csv("1,", {.header = false, .fill = 1e39, .dtype = Dtype::f64}).values.to_vector<double>()[1],
      1e39);
  const auto wrong = [](const CsvOptions& options) {
    return problem_of<ValueError>([&] { parse_csv("a,b,a\n1,2,3\n", options); });
  };
  EXPECT_EQ(wrong({.labels = {3}}), "has no column 3, but 3");
  EXPECT_EQ(wrong({.labels = {-4}}), "has no column -4, but 3");
  EXPECT_EQ(wrong({.labels = {"c"}}), "has no column 'c'");
  EXPECT_EQ(wrong({.labels = {"a"}}), "has several columns 'a'; say which by its number");
  EXPECT_EQ(wrong({.labels = {"b", 1}}), "column 1 is a label twice");
  EXPECT_EQ(problem_of<ValueError>([&] { parse_csv("1", {.header = false, .labels = {"a"}}); }),
            "has no column 'a'; without a header, columns have numbers");
}

TEST(LoadCsv, NamesTheFile) {
  const test::TemporaryFolder folder;
  std::ofstream(folder / "x.csv") << "a\n1\n";
  EXPECT_EQ(load_csv(folder / "x.csv").values.item(), 1);
  EXPECT_THROW(load_csv(folder / "none.csv"), IoError);
  std::ofstream(folder / "x.csv") << "a\nb\n";
  try {
    load_csv(folder / "x.csv");
    ADD_FAILURE() << "was taken";
  } catch (const FormatError& error) {
    EXPECT_EQ(error.where(), (folder / "x.csv").string());
  }
}

}  // namespace
}  // namespace espalier::data
