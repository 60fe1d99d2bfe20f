#include "report/page.h"

#include <fstream>
#include <iterator>
#include <limits>
#include <regex>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/error.h"
#include "io/image.h"
#include "tests/report/well_formed.h"
#include "tests/support/temporary_folder.h"

namespace espalier::report {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

/// The images that a page carries, as an independent reading of its data gives them.
std::vector<Tensor> images_in(const std::string& html) {
  std::vector<Tensor> images;
  const std::regex source("data:image/png;base64,([^\"]*)");
  for (std::sregex_iterator at(html.begin(), html.end(), source), end; at != end; ++at) {
    std::vector<unsigned char> bytes;
    unsigned bits = 0;
    int count = 0;
    for (const char c : (*at)[1].str()) {
      if (c == '=') break;
      const std::string digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
      bits = bits << 6 | static_cast<unsigned>(digits.find(c));
      count += 6;
      if (count < 8) continue;
      count -= 8;
      bytes.push_back(static_cast<unsigned char>(bits >> count & 0xff));
    }
    images.push_back(io::parse_image(bytes));
  }
  return images;
}

TEST(Page, HoldsWhatItWasGivenInOrder) {
  Page page("Title");
  page.paragraph("first");
  page.key_values({{"seed", "3"}});
  page.heading("Section");
  page.heading("Part", 3);
  Table table({"name", "value"});
  table.add_row({"a", "1"});
  page.table(table, "the caption");
  const std::string html = page.html();
  EXPECT_EQ(test::ill_formed(html), "");
  EXPECT_THAT(html, HasSubstr("<title>Title</title>"));
  EXPECT_THAT(html,
              HasSubstr("<h1>Title</h1>\n<p>first</p>\n<dl>\n<div><dt>seed</dt><dd>3</dd></div>\n</dl>\n"
                        "<h2>Section</h2>\n<h3>Part</h3>\n<div class=\"table\">\n<table>\n<thead>\n"
                        "<tr><th>name</th><th>value</th></tr>\n</thead>\n<tbody>\n"
                        "<tr><td>a</td><td>1</td></tr>\n</tbody>\n</table>\n"
                        "<p class=\"caption\">the caption</p>\n</div>\n</body>"));
  EXPECT_THROW(page.heading("x", 1), ValueError);
  EXPECT_THROW(page.heading("x", 4), ValueError);
}

TEST(Page, EverythingIsEscaped) {
  const std::string hostile = "</p><script>alert(\"1\")</script>&'\x02\xfe";
  Page page(hostile);
  page.heading(hostile);
  page.paragraph(hostile);
  page.verbatim(hostile);
  page.key_values({{hostile, hostile}});
  Table table({hostile});
  table.add_row({hostile});
  page.table(table, hostile);
  page.figure(line_chart({}, {.title = hostile}), hostile);
  page.images(zeros({1, 1, 2, 2}, Dtype::u8), {hostile});
  const std::string html = page.html();
  EXPECT_EQ(test::ill_formed(html), "");
  EXPECT_THAT(html, Not(HasSubstr("<script")));
  EXPECT_THAT(html, HasSubstr("&lt;script&gt;"));
}

TEST(Page, VerbatimTextKeepsItsLines) {
  Page page("x");
  page.verbatim("one\n  two < three");
  EXPECT_THAT(page.html(), HasSubstr("<pre>one\n  two &lt; three</pre>"));
}

TEST(Page, LoadsNothing) {
  Page page("x");
  page.figure(line_chart({}));
  page.images(zeros({1, 3, 2, 2}, Dtype::u8));
  const std::string html = page.html();
  EXPECT_THAT(html, HasSubstr("default-src 'none'"));
  // The only address in it is the name of SVG's elements.
  const std::regex address("(src|href)=\"(?!data:)|url\\(|https?://(?!www.w3.org/2000/svg)");
  EXPECT_FALSE(std::regex_search(html, address));
}

TEST(Page, NeighbouringFiguresShareARow) {
  Page page("x");
  page.figure(line_chart({}), "one");
  page.figure(line_chart({}), "two");
  page.paragraph("between");
  page.figure(line_chart({}), "three");
  const std::string html = page.html();
  EXPECT_EQ(test::ill_formed(html), "") << "also with the last row open";
  const std::regex rows("<div class=\"figures\">");
  EXPECT_EQ(std::distance(std::sregex_iterator(html.begin(), html.end(), rows), std::sregex_iterator()), 2);
}

TEST(Page, ImagesComeBackFromTheirData) {
  const float nan = std::numeric_limits<float>::quiet_NaN();
  Page page("x");
  page.images(from_values<float>({0, 1, 0.5F, nan, -3, 7, 0.002F, 0.001F}, {2, 1, 2, 2}), {"a", "b"});
  page.images(from_values<uint8_t>({1, 2, 3}, {1, 3, 1, 1}));
  const std::string html = page.html();
  EXPECT_EQ(test::ill_formed(html), "");
  const std::vector<Tensor> found = images_in(html);
  ASSERT_EQ(found.size(), 3u);
  EXPECT_THAT(found[0].to_vector<uint8_t>(), ElementsAre(0, 255, 128, 0))
      << "a half is rounded up, NaN black";
  EXPECT_THAT(found[1].to_vector<uint8_t>(), ElementsAre(0, 255, 1, 0)) << "what is beyond is cut off";
  EXPECT_EQ(found[2].shape(), Shape({3, 1, 1}));
  EXPECT_THAT(found[2].to_vector<uint8_t>(), ElementsAre(1, 2, 3));
  EXPECT_THAT(html, HasSubstr("<img width=\"96\" height=\"96\" alt=\"a\""));
  EXPECT_THAT(html, HasSubstr("image-rendering:pixelated"));
}

TEST(Page, ImagesKeepTheirProportions) {
  Page page("x");
  page.images(zeros({1, 1, 20, 40}, Dtype::u8));
  page.images(zeros({1, 1, 300, 200}, Dtype::u8));
  EXPECT_THAT(page.html(), HasSubstr("<img width=\"80\" height=\"40\""));
  EXPECT_THAT(page.html(), HasSubstr("<img width=\"200\" height=\"300\""));
}

TEST(Page, OnlyImagesAreTaken) {
  Page page("x");
  EXPECT_THROW(page.images(Tensor()), ValueError);
  EXPECT_THROW(page.images(zeros({1, 1, 2, 2}, Dtype::f64)), TypeError);
  EXPECT_THROW(page.images(zeros({1, 2, 2})), ShapeError);
  EXPECT_THROW(page.images(zeros({1, 2, 2, 2})), ShapeError);
  EXPECT_THROW(page.images(zeros({2, 1, 2, 2}), {"one"}), ShapeError);
  page.images(zeros({0, 1, 2, 2}));
  EXPECT_THAT(page.html(), Not(HasSubstr("<img")));
}

TEST(Page, IsWrittenWhole) {
  const espalier::test::TemporaryFolder folder;
  Page page("é");
  page.save(folder / "page.html");
  std::ifstream file(folder / "page.html", std::ios::binary);
  EXPECT_EQ(std::string(std::istreambuf_iterator<char>(file), {}), page.html());
  EXPECT_THROW(page.save(folder / "no/page.html"), IoError);
}

TEST(WellFormed, SeesWhatIsNot) {
  EXPECT_EQ(test::ill_formed("<a b=\"1\"><c/>&lt;</a>"), "");
  for (const char* text : {"", "<a>", "<a></b>", "<a b=1/>", "<a b=\"1\" b=\"2\"/>", "<a>&</a>", "<a/><b/>",
                           "<a>\x01</a>", "<a>\xff</a>", "<a"})
    EXPECT_NE(test::ill_formed(text), "") << text;
}

}  // namespace
}  // namespace espalier::report
